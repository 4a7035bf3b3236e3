import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connectPacket } from '@smart-fire/simulators';

export interface PublisherOptions {
  port: number;
  tls: boolean;
  login: string;
  secret: string;
  clientId: string;
  inFlight: number;
  /** Largest packet it will send. */
  packetMax: number;
  onAck: (latencyMs: number) => void;
  /** After acknowledgements. */
  onRoom: (publisher: Publisher) => void;
}

/** A window of 64 acknowledgements has 256 bytes; read into one buffer, so that nothing is allocated for a read. */
const READ_BYTES = 4096;
const PUBACK = 0x40;
const CONNACK = 0x20;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * One connection that publishes with a window of `inFlight` messages. Packets are written into a ring of bytes that is big enough for the
 * window: what has not been acknowledged is never written over, so nothing is allocated or copied for a send.
 * A connection that breaks is an error of the run: `failed` says why.
 */
export class Publisher {
  failed: Error | null = null;
  readonly #options: PublisherOptions;
  readonly #ring: Buffer;
  readonly #sentAt: Float64Array;
  readonly #acked: Uint8Array;
  #socket: Socket | null = null;
  #sent = 0;
  /** Messages acknowledged without a gap. */
  #done = 0;
  #at = 0;
  #flushed = 0;
  #now = 0;
  #rest: Buffer = NOTHING;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#ring = Buffer.alloc((options.inFlight + 2) * options.packetMax);
    this.#sentAt = new Float64Array(options.inFlight);
    this.#acked = new Uint8Array(options.inFlight);
  }

  get room(): number {
    return this.#options.inFlight - (this.#sent - this.#done);
  }

  /** Resolves at CONNACK. */
  open(): Promise<void> {
    const { port, tls, login, secret, clientId } = this.#options;
    return new Promise((done, fail) => {
      const refuse = (reason: string) => {
        this.failed ??= new Error(`${login}: ${reason}`);
        fail(this.failed);
      };
      const read = (chunk: Buffer) =>
        this.#receive(chunk, (code) => (code === 0 ? done() : refuse(`CONNACK code ${code}`)));
      const callback = (bytes: number, buffer: Uint8Array) => {
        read(buffer.subarray(0, bytes) as Buffer);
        return true;
      };
      const onread = { buffer: Buffer.alloc(READ_BYTES), callback };
      const options = { host: '127.0.0.1', port, noDelay: true, onread };
      // The platform's own CA is not this machine's: what is measured is the cost, not the trust.
      const socket = tls ? connectTls({ ...options, rejectUnauthorized: false }) : connectTcp(options);
      this.#socket = socket;
      // Keepalive 0: between measurements nothing is sent.
      socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(connectPacket(clientId, login, secret, 0)));
      socket.on('error', (error) => refuse(error.message));
      socket.on('close', () => refuse('the connection was closed'));
    });
  }

  /** Takes the time once for all packets up to the next flush. */
  begin(): void {
    this.#now = performance.now();
  }

  /** The next packet's id and place in `ring`, of at most `packetMax` bytes; only while there is room. */
  next(): { ring: Buffer; offset: number; id: number } {
    if (this.#at + this.#options.packetMax > this.#ring.length) {
      this.flush();
      this.#at = this.#flushed = 0;
    }
    const slot = this.#sent % this.#options.inFlight;
    this.#sentAt[slot] = this.#now;
    this.#acked[slot] = 0;
    this.#place.offset = this.#at;
    this.#place.id = slot + 1;
    this.#place.ring = this.#ring;
    return this.#place;
  }

  readonly #place = { ring: NOTHING, offset: 0, id: 0 };

  /** The packet at that place has so many bytes. */
  push(bytes: number): void {
    this.#at += bytes;
    this.#sent++;
  }

  flush(): void {
    if (this.#at === this.#flushed) return;
    this.#socket!.write(this.#ring.subarray(this.#flushed, this.#at));
    this.#flushed = this.#at;
  }

  close(): void {
    this.#socket?.removeAllListeners('close');
    this.#socket?.destroy();
  }

  #receive(chunk: Buffer, accepted: (code: number) => void): void {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const now = performance.now();
    let at = 0;
    let acks = 0;
    // Everything a broker sends to one that subscribes to nothing has four bytes.
    for (; at + 4 <= data.length; at += 4) {
      if (data[at] === PUBACK) {
        const slot = ((data[at + 2]! << 8) | data[at + 3]!) - 1;
        this.#acked[slot] = 1;
        this.#options.onAck(now - this.#sentAt[slot]!);
        acks++;
      } else if (data[at] === CONNACK) accepted(data[at + 3]!);
      else this.failed = new Error(`packet of type ${data[at]! >> 4} unasked`);
    }
    // Copied: the buffer is read into again.
    this.#rest = at === data.length ? NOTHING : Buffer.from(data.subarray(at));
    while (this.#done < this.#sent && this.#acked[this.#done % this.#options.inFlight] === 1) this.#done++;
    if (acks > 0) this.#options.onRoom(this);
  }
}
