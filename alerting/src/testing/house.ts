import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Alarm, FireError, type JournalBatch, type Refusal } from '@smart-fire/core';
import { createLog, MetricsRegistry, openState, type StateStore } from '@smart-fire/core/node';
import { FakeClock, MemoryJournal } from '@smart-fire/core/testing';
import { type Alerting, createAlerting } from '../alerting.ts';
import { FakeRules } from './fake-rules.ts';
import { Scene } from './scene.ts';

/** One machine: what is on its disks outlives `restart`. */
export class House {
  readonly folder = mkdtempSync(join(tmpdir(), 'alerting-'));
  readonly journal = new MemoryJournal();
  readonly clock = new FakeClock();
  readonly rules = new FakeRules();
  scene = new Scene().device('g', 'gateway').device('p', 'pump', { gateway: 'g' }).device('h', 'heat', { site: 's2' });
  state!: StateStore;
  alerting!: Alerting;
  metrics!: MetricsRegistry;
  changes: string[] = [];
  /** Makes every transaction reject while true. */
  away = false;
  /** Begun since the start. */
  transactions = 0;
  /** All behind so many are rejected. */
  transactionsLeft = Infinity;

  #alive = { now: true };

  async open(): Promise<this> {
    this.state = await openState('sqlite:state.db', { dataDir: this.folder, clock: this.clock });
    return this.start();
  }

  /** The store as this life of the process reaches it: not at all once it is dead, not even half-way through a transaction. */
  #store(): StateStore {
    const alive = { now: true };
    this.#alive = alive;
    const guard = () => {
      if (this.away || !alive.now) throw new FireError('FIRE_STATE_UNAVAILABLE');
    };
    return {
      ...this.state,
      transaction: async (work) => {
        this.transactions++;
        if (this.transactionsLeft-- <= 0) throw new FireError('FIRE_STATE_UNAVAILABLE');
        guard();
        return this.state.transaction(async (trx) => {
          const result = await work(trx);
          guard();
          return result;
        });
      },
    };
  }

  async start(): Promise<this> {
    this.metrics = new MetricsRegistry();
    this.alerting = createAlerting({
      journal: this.journal,
      journalState: await this.journal.open(),
      state: this.#store(),
      registry: this.scene.registry,
      rules: this.rules,
      clock: this.clock,
      log: createLog('silent'),
      metrics: this.metrics,
    });
    this.changes = [];
    this.alerting.book.onChange((alarm, action) => this.changes.push(`${action} ${alarm.cause}`));
    await this.alerting.start();
    return this;
  }

  /** Journal what the scene gathered; give it to the rules unless they are down. */
  async commit(consume = true): Promise<JournalBatch> {
    const batch = this.scene.batch();
    await this.journal.commit(batch, { deadLetters: [], marks: [] });
    if (consume) this.alerting.committed(batch);
    return batch;
  }

  /** Tells the rules what the scene gathered, which is on its way to the disk. */
  arrive(): void {
    this.alerting.arrived(this.scene.arrived());
  }

  /** What the scene gathered is refused by the journal. */
  async refuse(): Promise<void> {
    const { nextNo } = await this.journal.open();
    this.refused({ no: nextNo, kept: [] });
  }

  /** Nothing the scene gathered from number `no` on is kept by the journal, but for these entries, which are to be sent again first. */
  refused({ no, kept }: Omit<Refusal, 'batches'>): void {
    this.alerting.refused({ no, batches: [this.scene.arrived()], kept });
    this.scene.refused(no);
  }

  /** kill -9 of the rules, in the middle of whatever they do. */
  async crash(): Promise<this> {
    this.#alive.now = false;
    return this.start();
  }

  alarms(): Promise<Alarm[]> {
    return this.alerting.book.list({ scope: '/', limit: 1000 });
  }

  async close(): Promise<void> {
    this.away = false;
    this.transactionsLeft = Infinity;
    await this.alerting.stop();
    await this.state.close();
    rmSync(this.folder, { recursive: true });
  }
}
