/** Buckets of a chart; each holds at most two points, so no chart is larger than 1,000. */
const BUCKETS = 500;

/** A line thinned as it comes: of each bucket of time the lowest and the highest point stay, in their order. Times ascend. */
export class ThinLine {
  readonly #from: number;
  readonly #width: number;
  readonly #points: [time: number, value: number][] = [];
  #bucket = -1;
  #low: [number, number] | null = null;
  #high: [number, number] | null = null;

  constructor(from: number, to: number) {
    this.#from = from;
    this.#width = Math.max(1, (to - from) / BUCKETS);
  }

  add(time: number, value: number): void {
    const bucket = Math.floor((time - this.#from) / this.#width);
    if (bucket !== this.#bucket) this.#flush();
    this.#bucket = bucket;
    if (!this.#low || value < this.#low[1]) this.#low = [time, value];
    if (!this.#high || value > this.#high[1]) this.#high = [time, value];
  }

  get points(): [time: number, value: number][] {
    this.#flush();
    return this.#points;
  }

  #flush(): void {
    if (!this.#low || !this.#high) return;
    const [first, second] = this.#low[0] <= this.#high[0] ? [this.#low, this.#high] : [this.#high, this.#low];
    this.#points.push(first);
    if (second[0] !== first[0]) this.#points.push(second);
    this.#low = this.#high = null;
  }
}

/** True once per bucket of time, at its first row. */
export function createSampler(from: number, to: number): (time: number) => boolean {
  const width = Math.max(1, (to - from) / BUCKETS);
  let last = -1;
  return (time) => {
    const bucket = Math.floor((time - from) / width);
    if (bucket === last) return false;
    last = bucket;
    return true;
  };
}
