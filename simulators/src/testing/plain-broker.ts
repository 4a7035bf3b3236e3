import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';

interface Heard {
  client: string;
  topic: string;
  payload: string;
  qos: number;
  dup: boolean;
  retain: boolean;
}

/** Plain Aedes on a port of its own, which tells what it heard: the other side of simulator tests. */
export interface PlainBroker {
  readonly port: number;
  readonly heard: Heard[];
  /** Ids of the clients connected now. */
  clients(): string[];
  /** Every connection is cut and none accepted, until `open` on the same port. */
  cut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

export async function startPlainBroker(secretOf: (username: string) => string | undefined): Promise<PlainBroker> {
  const heard: Heard[] = [];
  const online = new Set<string>();
  const aedes = await Aedes.createBroker();
  aedes.authenticate = (_client, username, password, done) =>
    done(null, secretOf(username ?? '') === password?.toString());
  aedes.on('client', (client) => online.add(client.id));
  aedes.on('clientDisconnect', (client) => online.delete(client.id));
  aedes.on('publish', ({ topic, payload, qos, dup, retain }, client) => {
    if (topic.startsWith('$SYS')) return;
    heard.push({ client: client?.id ?? '', topic, payload: payload.toString(), qos, dup, retain });
  });
  const sockets = new Set<Socket>();
  let server: Server;
  let port = 0;
  const broker: PlainBroker = {
    get port() {
      return port;
    },
    heard,
    clients: () => [...online],
    open() {
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        aedes.handle(socket);
      });
      return new Promise((resolve) =>
        server.listen(port, '127.0.0.1', () => {
          port = (server.address() as { port: number }).port;
          resolve();
        }),
      );
    },
    cut() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
    async close() {
      await broker.cut();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
  await broker.open();
  return broker;
}
