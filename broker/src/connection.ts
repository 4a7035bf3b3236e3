import { Duplex } from 'node:stream';
import type { Clock, RegisteredDevice, Timer } from '@smart-fire/core';
import type { Client } from 'aedes';
import type { Arrivals, Reader } from './arrivals.ts';
import type { Departures, Writer } from './departures.ts';
import type { Routes } from './fast-path.ts';
import { Framer, PACKET } from './framing.ts';
import type { Budget } from './limits.ts';
import type { Transport } from './transport.ts';

/** Why a connection ended; also the reason of a device's presence entry. */
export type EndReason =
  /** It said goodbye, or the network lost it. */
  | 'disconnected'
  | 'keepalive'
  /** The same client connected again [MQTT-3.1.4-2]. */
  | 'taken-over'
  | 'stopped'
  /** Secret changed, device disabled or deleted. */
  | 'removed'
  | 'no-connect'
  | 'refused'
  | 'hold-too-long'
  /** The journal could not take what it sent. */
  | 'not-committed'
  | 'slow-reader'
  | 'over-rate'
  | 'too-many-connections';

/** What stands between the socket and Aedes. A later one that handles readings itself takes their packets here. */
export interface Screen {
  /** `pass` = on to Aedes; `taken` = dealt with; `wait` = not now, call `proceed` later; `stop` = nothing more of this connection. */
  packet(
    connection: Connection,
    bytes: Buffer,
    start: number,
    bodyAt: number,
    end: number,
  ): 'pass' | 'taken' | 'wait' | 'stop';
  oversize(connection: Connection, type: number, length: number, body: Buffer): void;
  malformed(connection: Connection, what: string): void;
  /** Largest body of a packet of this type taken from this connection now; negative: none at all. */
  limit(connection: Connection, type: number): number;
  closed(connection: Connection): void;
}

/** A PUBLISH whose acknowledgement waits for its commit. */
export interface Held {
  /** Lets Aedes go on: acknowledge (null) or close (error). Null: Aedes has not seen it, the connection acknowledges `packetId`. */
  release: ((error: Error | null) => void) | null;
  packetId: number;
  answer: Error | null | undefined;
  /** Pulse time at which it was handed in. */
  since: number;
}

/** A coarse clock that never jumps: ms we have been running (see `limits.ts`). */
export interface Pulse {
  now: number;
}

type Written = (error: Error | null | undefined) => void;

const READ_BUFFER = 64 * 1024;
/** Bytes queued for one reader, beyond which it is cut: more than every other connection can send it in one turn of the loop. */
const WRITE_MAX = 8 * 1024 * 1024;
/** A peer that does not take its last bytes is dropped after this. */
const FAREWELL_MS = 2000;

/**
 * One client's connection as Aedes sees it: a stream of whole, admitted packets in front of the socket.
 * What is read is bounded by the stream's buffer (then the socket pauses and TCP pushes back), what is written by `WRITE_MAX`.
 */
export class Connection extends Duplex implements Reader, Writer {
  readonly transport: Duplex;
  readonly remote: string;
  /** CN of the client certificate our client CA has signed. */
  readonly certificateName: string | null;
  state: 'new' | 'connecting' | 'ready' = 'new';
  endReason: EndReason | null = null;
  /** Who logged in, and the device that is (null until then, and for users that are no device). */
  user: string | null = null;
  device: RegisteredDevice | null = null;
  /** CONNACK code that the log-in shall end with, whatever its secret. */
  refuseWith: 2 | null = null;
  budget: Budget | null = null;
  keepaliveMs = 0;
  readonly openedAt: number;
  heardAt: number;
  /** Our clock (ms UTC) at the last read. */
  readAt = 0;
  /** Packets that Aedes has been given and that a later reading must not overtake: PUBLISH and SUBSCRIBE. */
  withAedes = 0;
  routes: Routes | null = null;
  overSince: number | null = null;
  /** Since when the reader has not taken what we wrote. */
  blockedSince: number | null = null;
  readonly held: Held[] = [];
  readonly #screen: Screen;
  readonly #pulse: Pulse;
  readonly #clock: Clock;
  readonly #framer: Framer;
  readonly #arrivals: Arrivals;
  readonly #departures: Departures;
  #run: { bytes: Buffer; start: number; end: number } | null = null;
  /** Aedes has enough to do: the stream's buffer is full. */
  #full = false;
  #finished = false;
  #stalled = false;
  #gathering = false;
  #paused = false;
  #afterDrain: (() => void) | null = null;
  /** PUBACKs written in one piece at the end of the turn. */
  readonly #acks: number[] = [];
  #farewell: Timer | null = null;

  constructor(
    transport: Transport,
    origin: { remote: string; certificateName: string | null },
    deps: { screen: Screen; pulse: Pulse; clock: Clock; arrivals: Arrivals; departures: Departures },
  ) {
    super({ readableHighWaterMark: READ_BUFFER, writableHighWaterMark: READ_BUFFER });
    const { stream } = transport;
    this.transport = stream;
    this.remote = origin.remote;
    this.certificateName = origin.certificateName;
    this.#screen = deps.screen;
    this.#pulse = deps.pulse;
    this.#clock = deps.clock;
    this.#arrivals = deps.arrivals;
    this.#departures = deps.departures;
    this.openedAt = deps.pulse.now;
    this.heardAt = deps.pulse.now;
    this.#framer = new Framer(
      {
        packet: (bytes, start, bodyAt, end) => this.#packet(bytes, start, bodyAt, end),
        oversize: (type, length, body) => this.#screen.oversize(this, type, length, body),
        malformed: (what) => this.#screen.malformed(this, what),
      },
      (type) => this.#screen.limit(this, type),
    );
    this.on('error', () => {});
    stream.on('end', () => this.#ended());
    stream.on('error', () => this.#lost());
    stream.on('drain', () => this.#drained());
    stream.on('close', () => {
      this.#farewell?.cancel();
      this.#lost();
    });
    transport.onRead((bytes, length) => this.#arrivals.add(this, bytes, length));
    this.once('close', () => this.#screen.closed(this));
  }

  /** True while nothing is read because of us, so that silence says nothing about the client. */
  get deaf(): boolean {
    return this.#full || this.#framer.waiting;
  }

  /** Ends the connection; the first reason stands. */
  cut(reason: EndReason): void {
    this.endReason ??= reason;
    this.#framer.stop();
    this.destroy();
  }

  /** Aedes has dealt with one of the packets counted in `withAedes`. */
  dealt(): void {
    this.withAedes--;
    // Not within Aedes' own call.
    if (this.withAedes === 0 && this.#framer.waiting) queueMicrotask(() => this.proceed());
  }

  /** Writes a PUBACK, together with all others of this turn and before anything written later. */
  acknowledge(packetId: number): void {
    if (this.#acks.push(packetId) === 1) this.#departures.add(this);
  }

  /** The transport has read this; see `Arrivals`. */
  arrived(bytes: Buffer, from: number, to: number): void {
    if (this.destroyed) return;
    this.heardAt = this.#pulse.now;
    this.readAt = this.#clock.now();
    this.#framer.feed(bytes, from, to);
    this.#settle();
  }

  /** Takes up what was told to wait. */
  proceed(): void {
    if (this.destroyed || !this.#framer.waiting) return;
    this.heardAt = this.#pulse.now;
    this.readAt = this.#clock.now();
    this.#framer.resume();
    this.#settle();
  }

  /**
   * Lets go of those who wait for this reader: from now on it is filled up to `WRITE_MAX` without anybody waiting,
   * until it drains or is cut.
   */
  release(): void {
    if (this.#stalled) return;
    this.#stalled = true;
    this.emit('drain');
  }

  // Aedes writes here; `true` means that it need not wait.
  override write(chunk: unknown, encoding?: BufferEncoding | Written, callback?: Written): boolean {
    this.depart();
    const room = super.write(chunk, encoding as BufferEncoding, callback);
    if (this.writableLength > WRITE_MAX) this.cut('slow-reader');
    return room || this.#stalled;
  }

  override _read(): void {
    if (!this.#full) return;
    this.#full = false;
    this.heardAt = this.#pulse.now;
    if (this.#framer.waiting) return;
    if (this.#finished) this.push(null);
    else this.#listen(true);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#gather();
    this.#sent(this.transport.write(chunk), callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.#gather();
    let room = true;
    for (const { chunk } of chunks) room = this.transport.write(chunk);
    this.#sent(room, callback);
  }

  override _final(callback: () => void): void {
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#framer.stop();
    this.#afterDrain = null;
    const { transport } = this;
    if (this.blockedSince !== null || transport.destroyed) transport.destroy();
    else {
      // The last packet (a CONNACK that says no) still goes out.
      transport.resume();
      transport.end(() => transport.destroy());
      this.#farewell = this.#clock.setTimeout(() => transport.destroy(), FAREWELL_MS);
    }
    callback(error);
  }

  #lost(): void {
    this.#arrivals.settle();
    this.destroy();
  }

  #ended(): void {
    this.#arrivals.settle();
    this.#finished = true;
    if (this.state === 'new') this.destroy();
    else this.#settle();
  }

  #packet(bytes: Buffer, start: number, bodyAt: number, end: number): boolean {
    const verdict = this.#screen.packet(this, bytes, start, bodyAt, end);
    if (verdict === 'stop') this.#framer.stop();
    if (verdict === 'wait' || verdict === 'stop') return false;
    if (verdict === 'pass') {
      if (this.#run?.bytes === bytes && this.#run.end === start) this.#run.end = end;
      else {
        this.#flushRun();
        this.#run = { bytes, start, end };
      }
    }
    return true;
  }

  /** Hands over adjacent packets in one piece, a copy: the bytes are others' again. */
  #flushRun(): void {
    const run = this.#run;
    this.#run = null;
    if (run && !this.destroyed && !this.push(Buffer.from(run.bytes.subarray(run.start, run.end)))) this.#full = true;
  }

  #settle(): void {
    this.#flushRun();
    if (this.destroyed) return;
    if (this.#finished && !this.deaf) this.push(null);
    else this.#listen(!this.deaf);
  }

  #listen(on: boolean): void {
    // Asked after every read.
    if (this.#paused === !on) return;
    this.#paused = !on;
    if (on) this.transport.resume();
    else this.transport.pause();
  }

  /** Writes the PUBACKs that wait. */
  depart(): void {
    const count = this.#acks.length;
    if (count === 0) return;
    const bytes = Buffer.allocUnsafe(4 * count);
    for (let i = 0; i < count; i++) {
      bytes[4 * i] = PACKET.puback << 4;
      bytes[4 * i + 1] = 2;
      bytes[4 * i + 2] = this.#acks[i]! >> 8;
      bytes[4 * i + 3] = this.#acks[i]! & 0xff;
    }
    this.#acks.length = 0;
    if (this.destroyed) return;
    // Behind what the stream itself still holds, else straight to the socket.
    if (this.writableLength > 0) this.write(bytes);
    else if (!this.transport.write(bytes)) {
      this.blockedSince ??= this.#pulse.now;
      if (this.transport.writableLength > WRITE_MAX) this.cut('slow-reader');
    }
  }

  /** One system call for all that is written in one turn of the loop: a commit acknowledges many packets at once. */
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.transport.cork();
    setImmediate(() => {
      this.#gathering = false;
      this.transport.uncork();
    });
  }

  #sent(room: boolean, callback: () => void): void {
    if (room || this.destroyed) callback();
    else {
      this.blockedSince = this.#pulse.now;
      this.#afterDrain = callback;
    }
  }

  #drained(): void {
    this.blockedSince = null;
    this.#stalled = false;
    const callback = this.#afterDrain;
    this.#afterDrain = null;
    callback?.();
  }
}

/** The connection behind a client of Aedes. */
export function connectionOf(client: Client): Connection {
  return client.conn as unknown as Connection;
}
