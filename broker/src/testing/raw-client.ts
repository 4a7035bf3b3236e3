import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';

export interface Login {
  user?: string;
  password?: string;
  clientId?: string;
  clean?: boolean;
  keepalive?: number;
  will?: { topic: string; payload: string; qos?: 0 | 1 | 2; retain?: boolean };
}

/** Something that holds within a moment; the error says what did not. */
export async function until(condition: () => boolean, what: string, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** An MQTT client that does nothing by itself: every byte is the test's. */
export class RawClient {
  readonly socket: Socket;
  readonly received: Packet[] = [];
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    const parser = mqttPacket.parser();
    parser.on('packet', (packet) => this.received.push(packet));
    socket.on('data', (chunk: Buffer) => parser.parse(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connectTcp(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  static connectPacket(login: Login): Buffer {
    const { user, password, clientId = 'c', clean = true, keepalive = 60, will } = login;
    return mqttPacket.generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId,
      clean,
      keepalive,
      ...(user !== undefined && { username: user }),
      ...(password !== undefined && { password: Buffer.from(password) }),
      ...(will && {
        will: { ...will, qos: will.qos ?? 0, retain: will.retain ?? false, payload: Buffer.from(will.payload) },
      }),
    });
  }

  /** Connects and waits for CONNACK, whatever its code. */
  static async login(port: number, login: Login): Promise<RawClient & { code: number; sessionPresent: boolean }> {
    const client = await RawClient.open(port);
    client.write(RawClient.connectPacket(login));
    await until(() => client.of('connack').length > 0 || client.closed, 'CONNACK');
    const connack = client.of('connack')[0] as { returnCode?: number; sessionPresent?: boolean } | undefined;
    return Object.assign(client, { code: connack?.returnCode ?? -1, sessionPresent: connack?.sessionPresent ?? false });
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(...packets: Packet[]): void {
    this.socket.write(Buffer.concat(packets.map((packet) => mqttPacket.generate(packet))));
  }

  of(cmd: Packet['cmd']): Packet[] {
    return this.received.filter((packet) => packet.cmd === cmd);
  }

  ids(cmd: Packet['cmd']): (number | undefined)[] {
    return this.of(cmd).map((packet) => packet.messageId);
  }

  async subscribe(...filters: string[]): Promise<number[]> {
    const before = this.of('suback').length;
    const subscriptions = filters.map((topic) => ({ topic, qos: 1 as const }));
    this.send({ cmd: 'subscribe', messageId: 1000 + before, subscriptions });
    await until(() => this.of('suback').length > before || this.closed, 'SUBACK');
    return (this.of('suback').at(-1) as { granted: number[] } | undefined)?.granted ?? [];
  }

  /** True once everything sent before has been read on the other side. */
  async ping(): Promise<void> {
    const before = this.of('pingresp').length;
    this.send({ cmd: 'pingreq' });
    await until(() => this.of('pingresp').length > before || this.closed, 'PINGRESP');
  }

  end(): void {
    this.socket.destroy();
  }
}

export function publish(topic: string, qos: 0 | 1 | 2, messageId: number, payload: string | Buffer = '{}'): Packet {
  return { cmd: 'publish', topic, payload, qos, dup: false, retain: false, ...(qos > 0 && { messageId }) };
}
