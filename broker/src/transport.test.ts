import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from './testing/raw-client.ts';
import { type Transport, transportOf } from './transport.ts';

let pems: Awaited<ReturnType<typeof generate>>;
let server: Server;
let opened: Transport[];
let clients: Socket[];
let prepare: (accepted: Socket) => void;

beforeAll(async () => {
  pems = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
  });
});
beforeEach(() => {
  opened = [];
  clients = [];
  prepare = () => {};
});
afterEach(() => {
  for (const client of clients) client.destroy();
  for (const { stream } of opened) stream.destroy();
  server.close();
});

function accept(socket: Socket): void {
  prepare(socket);
  opened.push(transportOf(socket));
}

const OVER = {
  TCP: {
    listener: () => createServer({ allowHalfOpen: true, pauseOnConnect: true }, accept),
    connect: (wire: Socket): Socket => wire,
    connected: 'connect',
  },
  TLS: {
    listener: () => createTlsServer({ allowHalfOpen: true, cert: pems.cert, key: pems.private }, accept),
    connect: (wire: Socket) => connectTls({ socket: wire, rejectUnauthorized: false }),
    connected: 'secureConnect',
  },
};

describe.each(['TCP', 'TLS'] as const)('an accepted socket over %s', (over) => {
  beforeEach(async () => {
    server = OVER[over].listener();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  async function connected(): Promise<{ client: Socket; wire: Socket; transport: Transport }> {
    const wire = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    const client = OVER[over].connect(wire);
    client.on('error', () => {});
    clients.push(client);
    await once(client, OVER[over].connected);
    await until(() => opened.length === clients.length, 'accepted');
    return { client, wire, transport: opened.at(-1)! };
  }

  it('reads into one buffer that all share', async () => {
    const buffers = new Set<Buffer>();
    const read: string[] = [];
    for (const text of ['one', 'two']) {
      const { client, transport } = await connected();
      transport.onRead((bytes, length) => {
        buffers.add(bytes);
        read.push(bytes.toString('latin1', 0, length));
      });
      client.write(text);
      await until(() => read.includes(text), text);
    }
    expect(buffers.size).toBe(1);
  });

  it('is read as any stream where its handle does not read into a given buffer', async () => {
    prepare = (socket) =>
      Object.assign((socket as unknown as { _handle: object })._handle, { useUserBuffer: undefined });
    const { client, transport } = await connected();
    const read: string[] = [];
    transport.onRead((bytes, length) => void read.push(bytes.toString('latin1', 0, length)));
    client.write('one');
    await until(() => read.includes('one'), 'what was sent');
  });

  it('does not lose what came before it is listened to', async () => {
    prepare = (socket) => socket.unshift(Buffer.from('early '));
    const { client, transport } = await connected();
    let read = '';
    transport.onRead((bytes, length) => {
      read += bytes.toString('latin1', 0, length);
    });
    client.write('late');
    await until(() => read.endsWith('late'), 'what was sent');
    expect(read).toBe('early late');
  });

  it('reads nothing while it is paused, and everything afterwards', async () => {
    const { client, transport } = await connected();
    let count = 0;
    transport.onRead((_bytes, length) => {
      count += length;
      transport.stream.pause();
    });
    client.write(Buffer.alloc(1_000_000));
    await until(() => count > 0, 'the first bytes');
    const first = count;
    expect(first).toBeLessThanOrEqual(64 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(count).toBe(first);
    while (count < 1_000_000) {
      const before = count;
      transport.stream.resume();
      await until(() => count > before, 'more bytes');
    }
    expect(count).toBe(1_000_000);
  });

  it('tells that the client has said its last, and can still answer', async () => {
    const { client, transport } = await connected();
    const events: string[] = [];
    transport.onRead((bytes, length) => void events.push(bytes.toString('latin1', 0, length)));
    transport.stream.on('end', () => events.push('end'));
    client.end('farewell');
    await until(() => events.includes('end'), 'end');
    expect(events).toEqual(['farewell', 'end']);
    transport.stream.end('answer');
    expect(String((await once(client, 'data'))[0])).toBe('answer');
  });

  it('that was reset is closed', async () => {
    const { wire, transport } = await connected();
    transport.onRead(() => {});
    transport.stream.on('error', () => {});
    wire.resetAndDestroy();
    await until(() => transport.stream.closed, 'closed');
  });

  it('is no longer counted by its server when it is closed', async () => {
    const { transport } = await connected();
    await connected();
    const count = () => new Promise<number>((resolve) => server.getConnections((_error, found) => resolve(found)));
    expect(await count()).toBe(2);
    transport.onRead(() => {});
    transport.stream.destroy();
    await once(transport.stream, 'close');
    expect(await count()).toBe(1);
    for (const { stream } of opened) stream.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});
