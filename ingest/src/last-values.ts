import { FLAG, type ReadingColumns } from '@smart-fire/core';

const COLUMNS = ['heldTime', 'heldValue', 'time', 'value', 'receivedAt'] as const;

/**
 * The last reading of every series, in columns by series index. What was taken but not yet committed is *held*: new messages are judged
 * against it; what is committed is what the console sees, and what a failed commit falls back to. Times are NaN where there is none.
 */
export class LastValues {
  heldTime = new Float64Array(0);
  heldValue = new Float64Array(0);
  time = new Float64Array(0);
  value = new Float64Array(0);
  receivedAt = new Float64Array(0);
  flags = new Uint8Array(0);

  /** Makes room for series below `count`. */
  reserve(count: number): void {
    if (count <= this.time.length) return;
    const capacity = Math.max(count, this.time.length * 2, 1024);
    for (const name of COLUMNS) {
      const grown = new Float64Array(capacity).fill(Number.NaN);
      grown.set(this[name]);
      this[name] = grown;
    }
    const flags = new Uint8Array(capacity);
    flags.set(this.flags);
    this.flags = flags;
  }

  hold(series: number, time: number, value: number): void {
    this.heldTime[series] = time;
    this.heldValue[series] = value;
  }

  /** The batch is durable: what it held is known. */
  commit(readings: ReadingColumns): void {
    for (let row = 0; row < readings.length; row++) {
      if (readings.flags[row]! & FLAG.late) continue;
      const series = readings.series[row]!;
      this.time[series] = readings.time[row]!;
      this.value[series] = readings.value[row]!;
      this.receivedAt[series] = readings.receivedAt[row]!;
      this.flags[series] = readings.flags[row]!;
    }
  }

  /** The batch was refused: what it held was never said. */
  rollback(readings: ReadingColumns): void {
    for (let row = 0; row < readings.length; row++) {
      const series = readings.series[row]!;
      this.hold(series, this.time[series]!, this.value[series]!);
    }
  }

  /** A batch of before the start. */
  restore(readings: ReadingColumns): void {
    this.commit(readings);
    this.rollback(readings);
  }

  /** A reading the readings store still has, for a series the journal no longer holds. */
  restoreOne(series: number, time: number, value: number): void {
    if (this.heldTime[series]! >= time) return;
    this.hold(series, time, value);
    this.time[series] = time;
    this.value[series] = value;
    this.receivedAt[series] = time;
    this.flags[series] = 0;
  }
}
