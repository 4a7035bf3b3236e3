import type { Schedule } from '@smart-fire/core';

const MINUTE_MS = 60_000;
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Are the windows of a schedule open? Looked up once a minute; `timeZone` is an IANA name. */
export class Schedules {
  readonly #format: Intl.DateTimeFormat;
  #minute = NaN;
  /** 1 = Monday … 7, and minutes since midnight, of `#minute`. */
  #day = 0;
  #time = 0;

  constructor(timeZone: string) {
    const parts = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    this.#format = new Intl.DateTimeFormat('en-GB', { timeZone, ...parts });
  }

  /** `at` ms UTC. */
  isOpen({ windows }: Schedule, at: number): boolean {
    this.#look(Math.floor(at / MINUTE_MS));
    const yesterday = this.#day === 1 ? 7 : this.#day - 1;
    return windows.some(({ days, from, to }) => {
      const begins = minutes(from);
      const ends = minutes(to);
      if (begins < ends) return days.includes(this.#day) && this.#time >= begins && this.#time < ends;
      return (days.includes(this.#day) && this.#time >= begins) || (days.includes(yesterday) && this.#time < ends);
    });
  }

  /** When to look again: the next minute. Time zones shift by whole minutes, so no opening is missed however they do. */
  lookAgain(at: number): number {
    return (Math.floor(at / MINUTE_MS) + 1) * MINUTE_MS;
  }

  #look(minute: number): void {
    if (minute === this.#minute) return;
    this.#minute = minute;
    const parts = this.#format.formatToParts(minute * MINUTE_MS);
    const part = (type: string) => parts.find((one) => one.type === type)!.value;
    this.#day = DAYS.indexOf(part('weekday')) + 1;
    this.#time = Number(part('hour')) * 60 + Number(part('minute'));
  }
}

function minutes(clock: string): number {
  const [hour, minute] = clock.split(':');
  return Number(hour) * 60 + Number(minute);
}
