import { EventEmitter } from 'node:events';
import { createLog, MetricsRegistry } from '@smart-fire/core/node';
import { FakeClock } from '@smart-fire/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { Caller } from '../server/access/caller.ts';
import { Consoles } from './consoles.ts';
import { Hub } from './hub.ts';

/** A socket whose other side reads only when told to. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  /** Whether the other side takes what is sent. */
  reads = true;
  closed: number | null = null;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent
  readonly sent: any[] = [];

  send(text: Buffer | string): void {
    this.sent.push(JSON.parse(String(text)));
    if (!this.reads) this.bufferedAmount += Buffer.byteLength(text);
  }

  ping(): void {
    if (this.reads) this.emit('pong');
  }

  close(code: number): void {
    this.closed = code;
    this.readyState = 2;
  }

  terminate(): void {
    this.readyState = 3;
    this.emit('close');
  }

  types(): string[] {
    return this.sent.map(({ type }) => type);
  }
}

let clock: FakeClock;
let hub: Hub;
let consoles: Consoles;
let holds: boolean;

beforeEach(() => {
  clock = new FakeClock();
  hub = new Hub(clock.now());
  holds = true;
  consoles = new Consoles({
    ...{ hub, clock, log: createLog('silent'), metrics: new MetricsRegistry(), holds: () => holds },
    feed: { watch() {}, unwatch() {} },
  });
  consoles.start();
});

/** Lets time pass, and what is due in it happen. */
async function pass(ms: number): Promise<void> {
  await Promise.resolve();
  clock.advance(ms);
  await Promise.resolve();
}

async function open(): Promise<FakeSocket> {
  const socket = new FakeSocket();
  const person = {
    id: 'p',
    username: 'p',
    name: 'p',
    role: 'operator',
    scope: '/',
    disabled: false,
    validUntil: null,
  } as const;
  consoles.add(socket as unknown as WebSocket, {
    person,
    via: 'session',
    credential: 'c',
    expiresAt: null,
  } satisfies Caller);
  socket.emit('message', Buffer.from('{"type":"hello","watch":[]}'), false);
  await pass(100);
  return socket;
}

let version = 0;
function put(id: string, text = 'x', gone = false): void {
  const value = JSON.stringify({ id, text, version: ++version });
  hub.put('alarms', { entity: 'alarm', id, version, path: '/', gone, text: () => value });
  consoles.changed();
}

describe('a console that reads', () => {
  it('gets the first change at once, and what follows in one frame a window later', async () => {
    const socket = await open();
    expect(socket.types()).toEqual(['snapshot']);
    for (const id of ['a', 'b', 'c', 'b']) put(id);
    await pass(0);
    expect(socket.sent).toHaveLength(2);
    expect(socket.sent.at(-1).changes.map(({ id }: { id: string }) => id)).toEqual(['a', 'c', 'b']);
    put('d');
    await pass(0);
    expect(socket.sent).toHaveLength(3);
  });

  it('among many others gets the first change at once, and what follows in one frame a window later', async () => {
    const sockets: FakeSocket[] = [];
    for (let count = 0; count < 100; count++) sockets.push(await open());
    const socket = sockets[0]!;
    const patches = () => socket.sent.filter(({ type }) => type === 'patch');
    put('a');
    await pass(0);
    expect(patches()).toHaveLength(1);
    for (const id of ['b', 'c', 'b']) put(id);
    await pass(19);
    expect(patches()).toHaveLength(1);
    await pass(1);
    expect(patches()).toHaveLength(2);
    expect(patches()[1].changes.map(({ id }: { id: string }) => id)).toEqual(['c', 'b']);
    await pass(1000);
    put('d');
    await pass(0);
    expect(patches()).toHaveLength(3);
  });

  it('is told every 5 s what it should have', async () => {
    const socket = await open();
    put('a');
    await pass(5000);
    expect(socket.sent.at(-1)).toMatchObject({ type: 'ping', seq: socket.sent.at(-2).seq });
    await pass(60_000);
    expect(socket.closed).toBe(null);
  });

  it('is let go when its log-in no longer holds', async () => {
    const socket = await open();
    holds = false;
    await pass(5000);
    expect(socket.closed).toBe(4401);
  });
});

describe('a console that does not read', () => {
  const big = 'x'.repeat(400_000);

  it('gets nothing more into its buffer, and the latest of everything when it reads again', async () => {
    const socket = await open();
    socket.reads = false;
    for (let round = 0; round < 200; round++) {
      put('same', big);
      await pass(40);
    }
    expect(socket.bufferedAmount).toBeLessThan(2_000_000);
    put('closed', 'x', true);
    const before = socket.sent.length;
    socket.reads = true;
    socket.bufferedAmount = 0;
    await pass(40);
    expect(socket.sent).toHaveLength(before + 1);
    expect(socket.sent.at(-1)).toMatchObject({ type: 'patch', from: socket.sent.at(-2).seq });
    const ids = socket.sent.at(-1).changes.map(({ id }: { id: string }) => id);
    expect(ids.sort()).toEqual(['closed', 'same']);
    expect(socket.sent.at(-1).changes.find(({ id }: { id: string }) => id === 'same').version).toBe(version - 1);
  });

  it('is told to begin again when it missed more than is remembered', async () => {
    const socket = await open();
    put('open');
    put('gone');
    await pass(40);
    socket.bufferedAmount = 10_000_000;
    put('gone', 'x', true);
    for (let id = 0; id < 6000; id++) {
      put(`short${id}`);
      put(`short${id}`, 'x', true);
    }
    await pass(1000);
    const before = socket.sent.length;
    socket.bufferedAmount = 0;
    await pass(100);
    expect(socket.types().slice(before)).toEqual(['resync', 'snapshot']);
    expect(socket.sent.at(-1).alarms.map(({ id }: { id: string }) => id)).toEqual(['open']);
  });

  it('is let go after 30 s, and holds nobody else up', async () => {
    const slow = await open();
    const quick = await open();
    slow.reads = false;
    slow.bufferedAmount = 10_000_000;
    put('a');
    await pass(0);
    expect(quick.sent.at(-1).changes).toHaveLength(1);
    await pass(40_000);
    expect([slow.closed, slow.readyState]).toEqual([4408, 3]);
    expect(consoles.size).toBe(1);
  });

  it('or never says hello is let go, too', async () => {
    const socket = new FakeSocket();
    consoles.add(socket as unknown as WebSocket, {} as Caller);
    await pass(40_000);
    expect(socket.closed).toBe(4408);
  });
});

it('hands over no more than 1 MiB and a frame in one turn, and serves everybody in the end', async () => {
  const sockets: FakeSocket[] = [];
  for (let count = 0; count < 200; count++) sockets.push(await open());
  for (let id = 0; id < 10_000; id++) put(`a${id}`, 'x'.repeat(600));
  const received = () => sockets.reduce((sum, { sent }) => sum + sent.length, 0);
  const marks: number[] = [];
  const setTimeout = clock.setTimeout.bind(clock);
  clock.setTimeout = (callback, ms) =>
    setTimeout(() => {
      marks.push(received());
      callback();
    }, ms);
  await pass(10_000);
  for (const { sent } of sockets)
    expect(sent.reduce((sum, { changes }) => sum + (changes?.length ?? 0), 0)).toBe(10_000);
  const perTurn = marks.slice(1).map((mark, index) => mark - marks[index]!);
  // A frame of 500 such alarms has 330 kB.
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(4);
});
