import { type Clock, FireError } from '@smart-fire/core';

/** Failures allowed before waiting begins: per user and address, and per address over all users. */
const FREE = { pair: 5, address: 100 } as const;
const FIRST_WAIT_MS = 15_000;
const LAST_WAIT_MS = 15 * 60_000;
const FORGET_MS = 60 * 60_000;
const KEPT = 20_000;
/** Tries of one user from one address that may stand in line. */
const LINE = 300;

interface Failures {
  count: number;
  until: number;
  at: number;
}

/** Counts failed log-ins; after some free ones the wait doubles with each. An address cannot lock a user out for others. */
export class LoginThrottle {
  readonly #failures = new Map<string, Failures>();
  readonly #lines = new Map<string, { last: Promise<unknown>; length: number }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Run one try, which resolves with null when it failed. Tries of one user from one address go one after the other, so that many
   * at once are counted like many in a row. Rejects with FIRE_LOGIN_THROTTLED, and FIRE_LOGIN_FAILED for null.
   */
  async run<T>(username: string, address: string, work: () => Promise<T | null>): Promise<T> {
    const key = keys(username, address)[0]![0];
    const line = this.#lines.get(key) ?? { last: Promise.resolve(), length: 0 };
    if (line.length >= LINE) throw new FireError('FIRE_LOGIN_THROTTLED', { seconds: 15 });
    this.#lines.set(key, line);
    line.length++;
    const turn = line.last.then(() => this.#run(username, address, work));
    line.last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      if (--line.length === 0) this.#lines.delete(key);
    }
  }

  async #run<T>(username: string, address: string, work: () => Promise<T | null>): Promise<T> {
    const seconds = this.#wait(username, address);
    if (seconds > 0) throw new FireError('FIRE_LOGIN_THROTTLED', { seconds });
    const result = await work();
    if (result === null) {
      this.#failed(username, address);
      throw new FireError('FIRE_LOGIN_FAILED');
    }
    this.#failures.delete(keys(username, address)[0]![0]);
    return result;
  }

  #wait(username: string, address: string): number {
    const now = this.#clock.now();
    const until = keys(username, address).map(([key]) => this.#failures.get(key)?.until ?? 0);
    return Math.max(0, Math.ceil((Math.max(...until) - now) / 1000));
  }

  #failed(username: string, address: string): void {
    const now = this.#clock.now();
    for (const [key, free] of keys(username, address)) {
      const before = this.#failures.get(key);
      const count = before && now - before.at < FORGET_MS ? before.count + 1 : 1;
      const wait = count < free ? 0 : Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, count - free));
      this.#failures.delete(key);
      this.#failures.set(key, { count, until: now + wait, at: now });
    }
    for (const key of this.#failures.keys()) {
      if (this.#failures.size <= KEPT) break;
      this.#failures.delete(key);
    }
  }
}

function keys(username: string, address: string): [key: string, free: number][] {
  return [
    [`${username.toLowerCase()}\n${address}`, FREE.pair],
    [`\n${address}`, FREE.address],
  ];
}
