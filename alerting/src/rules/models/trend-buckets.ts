/** Means of a series over equal slices of time, in a ring: per place the slice's number, the mean time (ms after its begin), the mean value, the readings. */
const SLICE = 0;
const LATE = 1;
const MEAN = 2;
const COUNT = 3;
export const BUCKET = 4;

/** Adds a reading; `ring` holds whole buckets. A slice that has left the ring gives up its place. */
export function addToBuckets(
  ring: Float64Array,
  offset: number,
  places: number,
  sliceMs: number,
  time: number,
  value: number,
): void {
  const slice = Math.floor(time / sliceMs);
  const at = offset + BUCKET * (((slice % places) + places) % places);
  if (ring[at + SLICE] !== slice) {
    ring[at + SLICE] = slice;
    ring[at + LATE] = ring[at + MEAN] = ring[at + COUNT] = 0;
  }
  ring[at + COUNT]! += 1;
  const count = ring[at + COUNT]!;
  ring[at + LATE]! += (time - slice * sliceMs - ring[at + LATE]!) / count;
  ring[at + MEAN]! += (value - ring[at + MEAN]!) / count;
}

/** Whether place `i` holds something of the last `places` slices up to that of `time`. */
export function held(
  ring: Float64Array,
  offset: number,
  places: number,
  sliceMs: number,
  time: number,
  i: number,
): boolean {
  const age = Math.floor(time / sliceMs) - ring[offset + BUCKET * i + SLICE]!;
  return age >= 0 && age < places;
}

export function bucketTime(ring: Float64Array, offset: number, sliceMs: number, i: number): number {
  const at = offset + BUCKET * i;
  return ring[at + SLICE]! * sliceMs + ring[at + LATE]!;
}

export function bucketValue(ring: Float64Array, offset: number, i: number): number {
  return ring[offset + BUCKET * i + MEAN]!;
}

export interface Point {
  time: number;
  value: number;
}

/** What the ring holds, oldest first. */
export function bucketPoints(
  ring: Float64Array,
  offset: number,
  places: number,
  sliceMs: number,
  time: number,
): Point[] {
  const points: Point[] = [];
  for (let i = 0; i < places; i++)
    if (held(ring, offset, places, sliceMs, time, i))
      points.push({ time: bucketTime(ring, offset, sliceMs, i), value: bucketValue(ring, offset, i) });
  return points.sort((a, b) => a.time - b.time);
}
