import { type Clock, mayAnywhere, type Timer } from '@smart-fire/core';
import { Counter, Gauge, type Logger, type MetricsRegistry } from '@smart-fire/core/node';
import type { RawData, WebSocket } from 'ws';
import type { Caller } from '../server/access/caller.ts';
import type { Ended } from '../server/access/credentials.ts';
import type { Hub, Reader, View } from './hub.ts';
import { Pacer } from './pacer.ts';
import { CLOSE, helloMessage, PING_EVERY_MS } from './protocol.ts';

/**
 * Between the first change, which goes at once, and the next frame. A frame costs the loop some 20 µs for each console, so a window for each
 * keeps all of them to a tenth of its time: few consoles see every change as it happens, 200 and more are told 25 times a second.
 */
const WINDOW_PER_CONSOLE_MS = 0.2;
const WINDOW_MAX_MS = 40;
/** Handed to sockets in one turn of the event loop: some milliseconds of copying. */
const TURN_BYTES = 1024 ** 2;
/** Waiting in a socket before its console gets nothing new; then only the latest state is kept for it. */
const BUFFERED_MAX = 1024 ** 2;
/** A console that takes nothing for so long, or never says hello, is let go. */
const PATIENCE_MS = 30_000;

interface Console {
  socket: WebSocket;
  caller: Caller;
  reader: Reader | null;
  /** As it said last; undefined before it has. */
  watch: View['watch'] | undefined;
  /** When it last showed that it takes what it is given: by a pong, or by emptying a full buffer. */
  readAt: number;
  /** More waits in its socket than is good. */
  full: boolean;
}

interface Deps {
  hub: Hub;
  clock: Clock;
  log: Logger;
  metrics: MetricsRegistry;
  /** Told what a console watches from now on, before it reads, and no longer. */
  feed: { watch(devices: View['watch']): void; unwatch(devices: View['watch']): void };
  /** Whether a caller's log-in still holds. */
  holds: (caller: Caller) => boolean;
}

/** The open consoles: gives each what its reader holds, in shared frames, never faster than its socket takes them. */
export class Consoles {
  readonly #deps: Deps;
  readonly #open = new Set<Console>();
  readonly #pacer: Pacer;
  readonly #frames: Counter;
  readonly #slow: Counter;
  readonly #gauge: Gauge;
  #turn: Timer | null = null;
  #pings: Timer | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#pacer = new Pacer(
      deps.clock,
      () => this.#windowMs(),
      () => this.#serve(),
    );
    const registers = [deps.metrics];
    this.#frames = new Counter({ name: 'smartfire_live_frames_total', help: 'Frames sent to consoles', registers });
    this.#slow = new Counter({
      name: 'smartfire_live_slow_consoles_total',
      help: `Consoles let go because they took nothing for ${PATIENCE_MS / 1000} s`,
      registers,
    });
    this.#gauge = new Gauge({
      name: 'smartfire_consoles',
      help: 'Open live connections: current ones have everything, behind ones are catching up',
      labelNames: ['state'],
      registers,
    });
  }

  start(): void {
    this.#pings = this.#deps.clock.setInterval(() => this.#beat(), PING_EVERY_MS);
  }

  stop(): void {
    this.#pings?.cancel();
    this.#turn?.cancel();
    this.#pacer.stop();
    for (const { socket } of this.#open) {
      socket.close(CLOSE.stopping);
      // The server's own stop waits for no console.
      socket.terminate();
    }
    this.#open.clear();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Something new is in the hub. */
  changed(): void {
    if (this.#open.size > 0) this.#pacer.poke();
  }

  /** Ends the live connections of log-ins that have ended, and of people whose rights have changed: those come back by themselves. */
  end(ended: Ended, reason: 'ended' | 'changed'): void {
    for (const { socket, caller } of this.#open)
      if (ended(caller)) socket.close(reason === 'ended' ? CLOSE.loginEnded : CLOSE.rightsChanged);
  }

  add(socket: WebSocket, caller: Caller): void {
    const readAt = this.#deps.clock.now();
    const one: Console = { socket, caller, reader: null, watch: undefined, readAt, full: false };
    this.#open.add(one);
    socket.on('message', (data, isBinary) => this.#hear(one, data, isBinary));
    socket.on('pong', () => {
      one.readAt = this.#deps.clock.now();
    });
    socket.on('close', () => {
      this.#open.delete(one);
      if (one.watch !== undefined) this.#deps.feed.unwatch(one.watch);
    });
    socket.on('error', (error) => this.#deps.log.debug({ err: error }, 'console connection failed'));
  }

  #windowMs(): number {
    return Math.min(WINDOW_MAX_MS, WINDOW_PER_CONSOLE_MS * this.#open.size);
  }

  #hear(one: Console, data: RawData, isBinary: boolean): void {
    const hello = isBinary ? null : parseHello(String(data));
    if (!hello) {
      one.socket.close(CLOSE.badMessage);
      return;
    }
    const view = viewOf(one.caller, hello.watch ? [...new Set(hello.watch)] : null);
    this.#deps.feed.watch(view.watch);
    if (one.watch !== undefined) this.#deps.feed.unwatch(one.watch);
    one.watch = view.watch;
    // A console that goes on may have frames under way to it that its `since` does not know of.
    one.reader =
      one.reader && hello.since !== undefined ? one.reader.turnTo(view) : this.#deps.hub.join(view, hello.since);
    this.#pacer.poke();
  }

  #serve(): void {
    this.#turn?.cancel();
    this.#turn = null;
    let bytes = 0;
    let again = false;
    let waiting = false;
    for (const one of [...this.#open]) {
      if (!one.reader?.behind || one.socket.readyState !== one.socket.OPEN) continue;
      if (one.socket.bufferedAmount > BUFFERED_MAX) {
        one.full = waiting = true;
        continue;
      }
      if (one.full) {
        one.full = false;
        one.readAt = this.#deps.clock.now();
      }
      if (bytes > TURN_BYTES) {
        again = true;
        break;
      }
      // Whoever was served goes to the end of the line.
      this.#open.delete(one);
      this.#open.add(one);
      const frame = one.reader.next(this.#deps.clock.now());
      if (!frame) continue;
      bytes += frame.text.length;
      one.socket.send(frame.text, { binary: false });
      this.#frames.inc();
      again ||= frame.more;
    }
    if (again || waiting) this.#turn = this.#deps.clock.setTimeout(() => this.#serve(), again ? 0 : WINDOW_MAX_MS);
  }

  #beat(): void {
    const now = this.#deps.clock.now();
    let behind = 0;
    for (const one of this.#open) {
      const { socket, caller, reader } = one;
      if (!this.#deps.holds(caller)) {
        socket.close(CLOSE.loginEnded);
        continue;
      }
      if (now - one.readAt > PATIENCE_MS) {
        this.#slow.inc();
        // The close frame would stand behind what it does not read.
        socket.close(CLOSE.notReading);
        socket.terminate();
        continue;
      }
      if (reader?.behind) behind++;
      if (!reader || socket.bufferedAmount > BUFFERED_MAX) continue;
      socket.ping();
      socket.send(JSON.stringify({ type: 'ping', seq: reader.seq, serverTime: now }));
    }
    this.#gauge.set({ state: 'current' }, this.#open.size - behind);
    this.#gauge.set({ state: 'behind' }, behind);
  }
}

function viewOf({ person }: Caller, watch: readonly string[] | null): View {
  return {
    scope: person.scope,
    alarms: mayAnywhere(person, 'alarm.read'),
    devices: mayAnywhere(person, 'device.read'),
    values: mayAnywhere(person, 'reading.read'),
    health: mayAnywhere(person, 'health.read'),
    watch,
  };
}

function parseHello(text: string) {
  try {
    return helloMessage.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
