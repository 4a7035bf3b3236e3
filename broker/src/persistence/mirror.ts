import type { Clock, FireError, Timer } from '@smart-fire/core';
import type { Logger, StateStore } from '@smart-fire/core/node';

type Transaction = Parameters<Parameters<StateStore['transaction']>[0]>[0];
type MirroredTable = 'mqtt_session' | 'mqtt_queue' | 'mqtt_retained' | 'mqtt_will';

/** Writes what memory holds now under these keys: the old rows are deleted and, where memory still has something, new ones inserted. */
export type RowWriter = (trx: Transaction, keys: never[]) => Promise<void>;

const SOON_MS = 50;
const RETRY_MS = 5000;
/** Keys in one transaction: far below SQLite's limit of 32,766 variables in a statement. */
const BATCH = 500;

/**
 * Carries changes of the memory to the state store a moment later. Keys are remembered, not operations: while the store is away
 * the memory goes on, what is owed never outgrows what the memory holds, and a change undone within the moment costs nothing much.
 */
export class Mirror {
  readonly #state: StateStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #writers: Record<MirroredTable, RowWriter>;
  readonly #dirty: Record<MirroredTable, Set<unknown>> = {
    mqtt_session: new Set(),
    mqtt_queue: new Set(),
    mqtt_retained: new Set(),
    mqtt_will: new Set(),
  };
  #timer: Timer | null = null;
  #flushing: Promise<void> | null = null;
  /** Since when the store has refused our rows; null = all is well. */
  failedSince: number | null = null;

  constructor(state: StateStore, clock: Clock, log: Logger, writers: Record<MirroredTable, RowWriter>) {
    this.#state = state;
    this.#clock = clock;
    this.#log = log;
    this.#writers = writers;
  }

  touch(table: MirroredTable, key: unknown): void {
    this.#dirty[table].add(key);
    this.#schedule(SOON_MS);
  }

  /** Nothing of this key has reached the store and nothing needs to. */
  forget(table: MirroredTable, key: unknown): void {
    this.#dirty[table].delete(key);
  }

  /** Tries once to bring everything to the store; never rejects. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    while (this.#flushing !== null) await this.#flushing;
    this.#flushing = this.#flushAll();
    try {
      await this.#flushing;
    } finally {
      this.#flushing = null;
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  failed(error: FireError | Error): void {
    if (this.failedSince === null) {
      this.failedSince = this.#clock.now();
      this.#log.warn({ err: error }, 'MQTT sessions are not saved: the state store is away; memory goes on');
    }
    this.#schedule(RETRY_MS);
  }

  #schedule(ms: number): void {
    if (this.#timer) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, ms);
  }

  async #flushAll(): Promise<void> {
    for (const table of Object.keys(this.#dirty) as MirroredTable[]) {
      const dirty = this.#dirty[table];
      while (dirty.size > 0) {
        const keys = [...dirty].slice(0, BATCH);
        for (const key of keys) dirty.delete(key);
        try {
          await this.#state.transaction((trx) => this.#writers[table](trx, keys as never[]));
        } catch (error) {
          for (const key of keys) dirty.add(key);
          this.failed(error as Error);
          return;
        }
      }
    }
    if (this.failedSince !== null) {
      this.failedSince = null;
      this.#log.info('MQTT sessions are saved again');
    }
  }
}
