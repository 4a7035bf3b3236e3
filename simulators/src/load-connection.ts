import { connect, type Socket } from 'node:net';
import { deviceTopic } from '@smart-fire/core';
import { connectPacket, DISCONNECT, PACKET, PINGREQ, publishSize, writePublish } from './packets.ts';

export interface LoadConnectionOptions {
  host: string;
  port: number;
  device: string;
  secret: string;
  clientId: string;
  channel: 'telemetry' | 'event';
  inFlight: number;
  onAck: (seq: number, latencyMs: number) => void;
  /** There is room for more after acknowledgements or a reconnect. */
  onRoom: (connection: LoadConnection) => void;
}

export interface LoadConnection {
  readonly device: string;
  readonly ready: boolean;
  /** How many messages may still be published now. */
  readonly room: number;
  readonly inFlight: number;
  readonly resent: number;
  readonly reconnects: number;
  readonly trouble: string | null;
  /** Resolves when the broker has accepted it. Comes back by itself whenever it breaks, and sends again with DUP what was not acknowledged. */
  open(): Promise<void>;
  /** Only while there is room; goes out with `flush`. */
  publish(seq: number, payload: string): void;
  flush(): void;
  close(): Promise<void>;
}

const RETRY_MS = 200;
const KEEPALIVE_S = 60;

export function createLoadConnection(options: LoadConnectionOptions): LoadConnection {
  const { device, inFlight: width } = options;
  const topic = Buffer.from(deviceTopic(device, options.channel));
  // Packet id n uses slot n; 0 is no packet id.
  const payloads: (string | null)[] = new Array(width + 1).fill(null);
  const seqs = new Float64Array(width + 1);
  const sentAt = new Float64Array(width + 1);
  const free = Array.from({ length: width }, (_, index) => width - index);
  let pending: number[] = [];
  let socket: Socket | null = null;
  let rest: Buffer = Buffer.alloc(0);
  let ready = false;
  let closing = false;
  let accepted: (() => void) | null = null;
  let retry: NodeJS.Timeout | null = null;
  let ping: NodeJS.Timeout | null = null;
  let resent = 0;
  let reconnects = -1;
  let trouble: string | null = null;

  const connection: LoadConnection = {
    device,
    get ready() {
      return ready;
    },
    get room() {
      return ready ? free.length : 0;
    },
    get inFlight() {
      return width - free.length;
    },
    get resent() {
      return resent;
    },
    get reconnects() {
      return Math.max(0, reconnects);
    },
    get trouble() {
      return trouble;
    },
    open() {
      return new Promise((resolve) => {
        accepted = resolve;
        dial();
      });
    },
    publish(seq, payload) {
      const id = free.pop()!;
      payloads[id] = payload;
      seqs[id] = seq;
      sentAt[id] = performance.now();
      pending.push(id);
    },
    flush: () => send(false),
    async close() {
      closing = true;
      accepted?.();
      if (retry) clearTimeout(retry);
      if (ping) clearInterval(ping);
      const current = socket;
      if (!current || current.destroyed) return;
      const gone = new Promise<void>((resolve) => current.once('close', () => resolve()));
      const impatient = setTimeout(() => current.destroy(), 1000);
      current.end(DISCONNECT);
      await gone;
      clearTimeout(impatient);
    },
  };

  function dial(): void {
    rest = Buffer.alloc(0);
    const opened = connect({ host: options.host, port: options.port, noDelay: true });
    socket = opened;
    opened.on('connect', () => opened.write(connectPacket(options.clientId, device, options.secret, KEEPALIVE_S)));
    opened.on('data', receive);
    opened.on('error', (error) => {
      trouble = error.message || (error as NodeJS.ErrnoException).code || 'connection failed';
    });
    opened.on('close', () => {
      ready = false;
      if (ping) clearInterval(ping);
      if (!closing) retry = setTimeout(dial, RETRY_MS);
    });
  }

  /** One write for all that is pending. */
  function send(dup: boolean): void {
    if (pending.length === 0) return;
    let size = 0;
    for (const id of pending) size += publishSize(topic, payloads[id]!);
    const buffer = Buffer.allocUnsafe(size);
    let offset = 0;
    for (const id of pending) offset = writePublish(buffer, offset, topic, id, payloads[id]!, dup);
    pending = [];
    socket!.write(buffer);
  }

  function receive(chunk: Buffer): void {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let offset = 0;
    let freed = 0;
    const now = performance.now();
    // Everything a broker sends to a publisher that subscribed to nothing has a one-byte length.
    while (offset + 2 <= data.length && offset + 2 + data[offset + 1]! <= data.length) {
      const type = data[offset]! & 0xf0;
      if (type === PACKET.puback) {
        acknowledge(data.readUInt16BE(offset + 2), now);
        freed += 1;
      } else if (type === PACKET.connack) connacked(data[offset + 3]!);
      offset += 2 + data[offset + 1]!;
    }
    rest = data.subarray(offset);
    if (freed > 0 && ready) options.onRoom(connection);
  }

  function acknowledge(id: number, now: number): void {
    if (payloads[id] == null) return;
    payloads[id] = null;
    free.push(id);
    options.onAck(seqs[id]!, now - sentAt[id]!);
  }

  function connacked(code: number): void {
    if (code !== 0) {
      trouble = `refused with CONNACK code ${code}`;
      socket?.destroy();
      return;
    }
    ready = true;
    reconnects += 1;
    ping = setInterval(() => socket?.write(PINGREQ), (KEEPALIVE_S * 1000) / 2);
    // [MQTT-4.4.0-1] What was not acknowledged goes again, oldest first, with DUP.
    pending = payloads
      .flatMap((payload, id) => (payload === null ? [] : [id]))
      .sort((left, right) => seqs[left]! - seqs[right]!);
    resent += pending.length;
    send(true);
    accepted?.();
    accepted = null;
    if (reconnects > 0) options.onRoom(connection);
  }

  return connection;
}
