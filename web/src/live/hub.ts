import { ChangeLog, type Entry } from './change-log.ts';

/** What one kind of reader may see. Readers with the same view share their frames. */
export interface View {
  /** Path prefix. */
  scope: string;
  alarms: boolean;
  devices: boolean;
  /** Last values in device statuses. */
  values: boolean;
  health: boolean;
  /** null = every device in scope. */
  watch: readonly string[] | null;
}

export interface Frame {
  /** JSON text, shared by all readers that stand where this one stood. */
  text: Buffer;
  /** There is more to read at once. */
  more: boolean;
}

/** Most changes in a frame: bounds the time one frame takes to make and a console to draw. */
export const FRAME_CHANGES = 500;
/** Gone things remembered for readers that are behind, per log. */
const KEEP_GONE = 5000;
/** Frames kept for other readers that come to the same place. A frame stays true: what has changed since comes with the next one. */
const KEEP_FRAMES = { count: 1000, bytes: 16 * 1024 ** 2 } as const;
/** Midway numbers remembered; going on from an older number means a new snapshot. */
const KEEP_MIDWAY = 10_000;
const STREAMS = ['fire', 'health', 'alarms', 'devices'] as const;
export type Stream = (typeof STREAMS)[number];
/** Ten thousand numbers per millisecond are more than changes ever come, so numbers of an earlier run are always below this run's. */
const EPOCH = Date.UTC(2025, 0, 1);
const NUMBERS_PER_MS = 10_000;

/** Where a reader stands in each log. */
type Position = readonly number[];

interface Read {
  frame: Frame | null;
  position: Position;
  seq: number;
}

/**
 * What every console should show, as logs of last changes, fires first. A reader that falls behind gets the latest state of what it
 * missed; one that fell behind further than the logs remember gets `resync` and a new snapshot. No sockets and no time in here.
 */
export class Hub {
  readonly #logs: Record<Stream, ChangeLog>;
  #seq: number;
  readonly #base: number;
  /** Numbers that were given while a reader was between two frames: nothing can go on from them. */
  readonly #midway = new Set<number>();
  /** Readers that began at or before this number must begin again (something moved out of somebody's scope). */
  #restart: number;
  /** Numbers up to this one cannot be gone on from. */
  #oldest: number;
  readonly #frames = new Map<string, Read>();
  #framesBytes = 0;

  /** @param now ms UTC at the start of the process */
  constructor(now: number) {
    this.#base = Math.max(0, now - EPOCH) * NUMBERS_PER_MS;
    this.#seq = this.#base;
    this.#restart = this.#base - 1;
    this.#oldest = this.#base - 1;
    const log = () => new ChangeLog(KEEP_GONE);
    this.#logs = { fire: log(), health: log(), alarms: log(), devices: log() };
  }

  get seq(): number {
    return this.#seq;
  }

  put(stream: Stream, entry: Entry): void {
    const log = this.#logs[stream];
    const before = log.get(entry.id);
    // Those who may see it only where it was would otherwise keep it for ever.
    if (before && before.path !== entry.path) this.#restart = this.#seq;
    log.put(entry, ++this.#seq);
  }

  /** Where a thing that consoles show lies; null when they show no such thing. */
  pathOf(stream: Stream, id: string): string | null {
    const entry = this.#logs[stream].get(id);
    return entry && !entry.gone ? entry.path : null;
  }

  /**
   * `since`: the number a console has reached, if any. From there it goes on with patches when that can be done without missing
   * anything; device statuses are sent anew in any case, so `watch` may differ from the time before.
   */
  join(view: View, since?: number): Reader {
    const known = since !== undefined && since > this.#oldest && since <= this.#seq && !this.#midway.has(since);
    const goesOn = known && since > this.#restart && STREAMS.every((stream) => since >= this.#logs[stream].forgotten);
    if (!goesOn) return new Reader(this, view, { position: BEGINNING, born: this.#seq, told: null });
    return new Reader(this, view, { position: withoutDevices(STREAMS.map(() => since)), born: since, told: since });
  }

  /** Whether a reader may have missed something that the logs cannot tell it any more. */
  mustRestart(born: number, position: Position): boolean {
    if (born <= this.#restart) return true;
    return STREAMS.some((stream, index) => {
      const { forgotten } = this.#logs[stream];
      return born < forgotten && position[index]! < forgotten;
    });
  }

  isBehind(position: Position): boolean {
    return STREAMS.some((stream, index) => position[index]! < this.#logs[stream].last);
  }

  /** The next frame of a reader that stands at `place`; made once for all that stand there with the same view. */
  read(view: View, viewKey: string, { position, born, told }: Place, serverTime: number): Read {
    // Once past its beginning, where a reader began makes no difference.
    const settled = position.every((order) => order >= born);
    const key = `${viewKey} ${position.join()} ${settled ? '' : born} ${told ?? `snapshot ${serverTime}`}`;
    const known = this.#frames.get(key);
    if (known) return known;
    const read = this.#read(view, { position, born, told }, serverTime);
    // Only what leads on may be kept: "nothing new" is true for this moment alone.
    if (read.frame || read.position.some((order, index) => order > position[index]!)) {
      this.#frames.set(key, read);
      this.#framesBytes += read.frame?.text.length ?? 0;
      this.#forgetFrames();
    }
    return read;
  }

  #read(view: View, { position, born, told }: Place, serverTime: number): Read {
    const { changes, position: after, more } = this.#collect(view, position, born);
    if (changes.length === 0 && told !== null) return { frame: null, position: after, seq: told };
    if (more || this.#seq === told) this.#seq++;
    if (more) this.#remember(this.#seq);
    const seq = this.#seq;
    const text = told === null ? snapshotText(changes, view, seq, serverTime) : patchText(changes, view, told, seq);
    return { frame: { text: Buffer.from(text), more }, position: after, seq };
  }

  #forgetFrames(): void {
    for (const [key, { frame }] of this.#frames) {
      if (this.#frames.size <= KEEP_FRAMES.count && this.#framesBytes <= KEEP_FRAMES.bytes) break;
      this.#frames.delete(key);
      this.#framesBytes -= frame?.text.length ?? 0;
    }
  }

  #remember(midway: number): void {
    this.#midway.add(midway);
    if (this.#midway.size <= KEEP_MIDWAY) return;
    const [oldest] = this.#midway;
    this.#midway.delete(oldest!);
    this.#oldest = oldest!;
  }

  #collect(view: View, position: Position, born: number) {
    const changes: Entry[] = [];
    const after = [...position];
    const now = this.#seq;
    let more = false;
    for (const [index, stream] of STREAMS.entries()) {
      if (more) break;
      const log = this.#logs[stream];
      const from = position[index]!;
      after[index] = now;
      if (from >= log.last || !mayRead(view, stream)) continue;
      let reached = from;
      for (const { order, entry } of this.#changed(stream, from, view.watch)) {
        if (entry.gone && order <= born) continue;
        if (entry.path !== null && !entry.path.startsWith(view.scope)) continue;
        if (changes.length === FRAME_CHANGES) {
          after[index] = reached;
          more = true;
          break;
        }
        changes.push(entry);
        reached = order;
      }
    }
    return { changes, position: after, more };
  }

  #changed(stream: Stream, from: number, watch: View['watch']): Iterable<{ order: number; entry: Entry }> {
    const log = this.#logs[stream];
    if (stream !== 'devices' || watch === null) return log.since(from);
    return watch
      .flatMap((id) => {
        const [entry, order] = [log.get(id), log.orderOf(id)];
        return entry && order > from ? [{ order, entry }] : [];
      })
      .sort((a, b) => a.order - b.order);
  }
}

interface Place {
  position: Position;
  /** Number at which it began; what was gone by then it has never seen. */
  born: number;
  /** The number the console has reached; null before its snapshot. */
  told: number | null;
}

/** One console's place in the logs. */
export class Reader {
  readonly #hub: Hub;
  readonly #view: View;
  readonly #viewKey: string;
  #place: Place;

  constructor(hub: Hub, view: View, place: Place) {
    this.#hub = hub;
    this.#view = view.watch === null ? view : { ...view, watch: [...new Set(view.watch)].sort() };
    this.#viewKey = JSON.stringify(this.#view);
    this.#place = place;
  }

  /** What the console has been sent. */
  get seq(): number {
    return this.#place.told ?? 0;
  }

  get behind(): boolean {
    const { position, born, told } = this.#place;
    return told === null || this.#hub.isBehind(position) || this.#hub.mustRestart(born, position);
  }

  /** The same console with another view: goes on where it stands (frames may be under way to it), devices anew. */
  turnTo(view: View): Reader {
    const { position, born, told } = this.#place;
    return told === null
      ? this.#hub.join(view)
      : new Reader(this.#hub, view, { position: withoutDevices(position), born, told });
  }

  /** The next thing to send, or null when the console has everything. */
  next(serverTime: number): Frame | null {
    const { position, born, told } = this.#place;
    if (told !== null && this.#hub.mustRestart(born, position)) {
      this.#place = { position: BEGINNING, born: this.#hub.seq, told: null };
      return { text: RESYNC, more: true };
    }
    // What vanished before the snapshot is made need not be told.
    if (told === null) this.#place = { position, born: this.#hub.seq, told };
    const read = this.#hub.read(this.#view, this.#viewKey, this.#place, serverTime);
    this.#place = { ...this.#place, position: read.position, told: read.seq };
    return read.frame;
  }
}

const BEGINNING: Position = STREAMS.map(() => 0);

function withoutDevices(position: Position): Position {
  return position.map((order, index) => (STREAMS[index] === 'devices' ? 0 : order));
}

const RESYNC = Buffer.from('{"type":"resync"}');

function mayRead(view: View, stream: Stream): boolean {
  if (stream === 'health') return view.health;
  return stream === 'devices' ? view.devices : view.alarms;
}

function snapshotText(entries: Entry[], view: View, seq: number, serverTime: number): string {
  const list = (entity: Entry['entity']) =>
    entries
      .filter((entry) => entry.entity === entity)
      .map((entry) => entry.text(view.values))
      .join();
  const lists = `"alarms":[${list('alarm')}],"devices":[${list('device')}],"health":[${list('health')}]`;
  return `{"type":"snapshot","seq":${seq},${lists},"serverTime":${serverTime}}`;
}

function patchText(entries: Entry[], view: View, from: number, seq: number): string {
  const changes = entries.map((entry) => {
    const { entity, id, version } = entry;
    return `{"entity":"${entity}","id":${JSON.stringify(id)},"version":${version},"value":${entry.text(view.values)}}`;
  });
  return `{"type":"patch","from":${from},"seq":${seq},"changes":[${changes.join()}]}`;
}
