import type { SeriesRow } from '../../../ports/journal.ts';
import { CHUNK_MAX, Chunk } from './chunk.ts';
import type { ReadingsFile } from './readings-file.ts';

/** One series in memory: the chunk at its end, and those others that are not saved yet or were wanted for late readings. */
export class Series {
  readonly id: number;
  readonly row: SeriesRow;
  /** Newest time known. */
  end = Number.NEGATIVE_INFINITY;
  tail: Chunk | null = null;
  others: Chunk[] = [];
  readonly #file: ReadingsFile;

  /** Takes up the last chunk where it was left, if it has less than `full` points. */
  constructor(id: number, row: SeriesRow, file: ReadingsFile, full: number) {
    this.id = id;
    this.row = row;
    this.#file = file;
    const last = file.lastChunk(id);
    if (!last) return;
    this.end = last.end;
    if (last.count < full) this.tail = file.load(last.id);
  }

  get chunks(): Chunk[] {
    return this.tail ? [...this.others, this.tail] : this.others;
  }

  /** The chunk that a time belongs to, read from the file where needed; a new one where nothing is near. */
  chunkFor(time: number): Chunk {
    if (time > this.end) return this.#openTail(time);
    if (this.tail && time >= this.tail.start) return this.tail;
    const held = this.others.find((chunk) => time >= chunk.start && time < chunk.bound);
    return held ?? this.#findChunk(time);
  }

  /** The tail has its points: the next one opens another. */
  seal(): void {
    if (this.tail) this.others.push(this.tail);
    this.tail = null;
  }

  /** Forgets chunks that the file has. */
  forgetSaved(): void {
    this.others = this.others.filter((chunk) => !chunk.saved);
  }

  /** The file has dropped this chunk. */
  drop(id: number): void {
    this.others = this.others.filter((chunk) => chunk.id !== id);
    if (this.tail?.id === id) this.tail = null;
  }

  #openTail(time: number): Chunk {
    if (!this.tail) {
      this.tail = new Chunk();
      for (const chunk of this.others) chunk.bound = Math.min(chunk.bound, time);
    }
    return this.tail;
  }

  #findChunk(time: number): Chunk {
    const held = this.chunks;
    const row = this.#file.neighbours(
      this.id,
      time,
      held.map((chunk) => chunk.id),
    );
    const heldBefore = held.filter((chunk) => chunk.start <= time).sort((a, b) => b.start - a.start)[0];
    const heldAfter = held.filter((chunk) => chunk.start > time).sort((a, b) => a.start - b.start)[0];
    const bound = Math.min(heldAfter?.start ?? Number.POSITIVE_INFINITY, row.after?.start ?? Number.POSITIVE_INFINITY);
    if (row.before && row.before.start > (heldBefore?.start ?? Number.NEGATIVE_INFINITY))
      return this.#hold(row.before.id, bound);
    if (heldBefore) {
      heldBefore.bound = bound;
      return heldBefore;
    }
    // Earlier than everything: the first chunk grows downwards while it has room.
    if (heldAfter?.start === bound && heldAfter.length < CHUNK_MAX) return heldAfter;
    if (row.after?.start === bound && row.after.count < CHUNK_MAX)
      return this.#hold(row.after.id, Number.NEGATIVE_INFINITY);
    const fresh = new Chunk();
    fresh.bound = bound;
    this.others.push(fresh);
    return fresh;
  }

  /** A bound of −∞ is unknown: found again when it is wanted. */
  #hold(id: number, bound: number): Chunk {
    const chunk = this.#file.load(id);
    chunk.bound = bound;
    this.others.push(chunk);
    return chunk;
  }
}
