import type { Points } from './chunk-codec.ts';

/** Points that a chunk not at its series' end may grow to before it is split (late readings). */
export const CHUNK_MAX = 1024;

/** A run of a series' points in memory, ascending by time. Chunks of a series never overlap. */
export class Chunk implements Points {
  /** Row in the file, 0 = none yet. */
  id = 0;
  length = 0;
  times: Float64Array;
  values: Float64Array;
  /** Smallest journal number of a point that the file does not have yet; Infinity = all saved. */
  unsavedFrom = Number.POSITIVE_INFINITY;
  /** When that point arrived, ms UTC. */
  unsavedSince = 0;
  /** Start of the chunk behind it: times from `start` to below this belong here. */
  bound = Number.POSITIVE_INFINITY;

  constructor(points: Points = { length: 0, times: new Float64Array(8), values: new Float64Array(8) }) {
    this.length = points.length;
    this.times = points.times;
    this.values = points.values;
  }

  get start(): number {
    return this.times[0]!;
  }

  get end(): number {
    return this.times[this.length - 1]!;
  }

  get saved(): boolean {
    return this.unsavedFrom === Number.POSITIVE_INFINITY;
  }

  /** Index of the first point at or after `time`. */
  indexOf(time: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(at: number, time: number, value: number): void {
    if (this.length === this.times.length) this.#grow();
    if (at < this.length) {
      this.times.copyWithin(at + 1, at, this.length);
      this.values.copyWithin(at + 1, at, this.length);
    }
    this.times[at] = time;
    this.values[at] = value;
    this.length++;
  }

  /** Cuts the upper half off as a chunk of its own. Both are to be saved in one transaction: the row of this one still holds all. */
  split(): Chunk {
    const half = this.length >> 1;
    const upper = new Chunk({
      length: this.length - half,
      times: this.times.slice(half),
      values: this.values.slice(half),
    });
    upper.bound = this.bound;
    upper.unsavedFrom = this.unsavedFrom;
    upper.unsavedSince = this.unsavedSince;
    this.length = half;
    this.bound = upper.start;
    return upper;
  }

  #grow(): void {
    const times = new Float64Array(this.times.length * 2);
    const values = new Float64Array(times.length);
    times.set(this.times);
    values.set(this.values);
    this.times = times;
    this.values = values;
  }
}
