import type {
  AlarmBook,
  Clock,
  HealthItem,
  Journal,
  JournalBatch,
  JournalState,
  Registry,
  RuleView,
  SensorKind,
  Service,
  Timer,
} from '@smart-fire/core';
import type { Logger, MetricsRegistry, StateStore } from '@smart-fire/core/node';
import { SENSOR_KINDS } from '@smart-fire/core/sensors';
import { Book } from './alarms/book.ts';
import { createAlarmRepository } from './alarms/repository.ts';
import { alertingHealth } from './health.ts';
import { registerMetrics } from './metrics.ts';
import { RuleCatalogue } from './rules/catalogue.ts';
import { CHECKPOINT_FORMAT, decodeCheckpoint, encodeCheckpoint } from './rules/checkpoint.ts';
import { Engine } from './rules/engine.ts';

/** Entries read at once in replay: some ms of work between two turns of the event loop. */
const REPLAY_CHUNK = 20_000;
const CHECKPOINT_MS = 5_000;
const CONSUMER = 'alerting';

export interface AlertingDeps {
  journal: Journal;
  journalState: JournalState;
  state: StateStore;
  registry: Registry;
  clock: Clock;
  log: Logger;
  metrics: MetricsRegistry;
}

export interface Alerting extends Service {
  book: AlarmBook;
  rules(): RuleView[];
  /** Every committed batch, in order, once `start` has resolved. Synchronous; a batch may come again. */
  consume(batch: JournalBatch): void;
  health(): HealthItem[];
}

/**
 * Rules over the journal, and the book of alarms. `start` loads the unclosed alarms and the engine's last checkpoint and replays the
 * journal from there; rejects with FIRE_FORMAT_UNKNOWN for a checkpoint it does not know and FIRE_STATE_UNAVAILABLE.
 */
export function createAlerting(deps: AlertingDeps, kinds: readonly SensorKind[] = SENSOR_KINDS): Alerting {
  const { journal, journalState, state, registry, clock, log } = deps;
  const catalogue = new RuleCatalogue(kinds);
  const repository = createAlarmRepository(state);
  const book = new Book({ repository, clock, log });
  const troubles = { startedAt: clock.now(), rulesSince: null };
  let engine: Engine | null = null;
  let timer: Timer | null = null;
  let unsubscribe: (() => void) | null = null;
  registerMetrics(deps.metrics, book, () => engine, catalogue.all);

  async function start(): Promise<void> {
    await book.load();
    const saved = await repository.checkpoint();
    const checkpoint = saved && decodeCheckpoint(saved.format, saved.data);
    // A journal that ends before our checkpoint is another journal: its numbers say nothing about what we have done.
    const known = checkpoint !== null && checkpoint.next <= journalState.nextNo;
    if (checkpoint && !known)
      log.warn(
        { checkpoint: checkpoint.next, journal: journalState.nextNo },
        'the journal was replaced; rules start afresh',
      );
    const applied = checkpoint && !known ? 0 : await repository.applied();
    let replaying = true;
    const started = new Engine({
      registry,
      catalogue,
      series: journalState.series,
      emit(effect) {
        if (!replaying || effect.no > applied) book.absorb(effect);
      },
    });
    if (known) started.restore(checkpoint);
    await replay(started);
    replaying = false;
    started.reconcile(ruleCauses(book), clock.now());
    engine = started;
    unsubscribe = registry.onChange(({ entity, id }) => {
      if (entity === 'device') started.refresh(id, clock.now());
    });
    timer = clock.setInterval(() => void saveCheckpoint(), CHECKPOINT_MS);
  }

  async function replay(into: Engine): Promise<void> {
    const from = into.next;
    for (;;) {
      const batches = await journal.read(into.next, REPLAY_CHUNK);
      const before = into.next;
      for (const batch of batches) into.consume(batch);
      if (into.next === before) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    log.info({ from, to: into.next, unclosed: book.unclosed().length }, 'rules have caught up with the journal');
  }

  let busy = false;
  async function saveCheckpoint(): Promise<void> {
    if (busy || !engine) return;
    busy = true;
    const { promise, resolve } = Promise.withResolvers<number>();
    try {
      await book.whenSaved(async () => {
        const bytes = encodeCheckpoint(engine!.checkpoint());
        const { next } = engine!;
        await repository.saveCheckpoint(next, CHECKPOINT_FORMAT, bytes, clock.now());
        resolve(next);
      });
      journal.advance(CONSUMER, await promise);
    } catch (error) {
      // The journal keeps what is not covered; nothing is lost by a checkpoint that is late.
      log.warn({ err: error }, 'the rule engine could not save a checkpoint');
    } finally {
      busy = false;
    }
  }

  return {
    book,
    start,
    async stop() {
      unsubscribe?.();
      timer?.cancel();
      await saveCheckpoint();
      book.stop();
    },
    rules: () => catalogue.views(),
    consume(batch) {
      if (!engine) throw new Error('alerting has not started');
      engine.consume(batch);
    },
    health: () => alertingHealth(book, catalogue.all, troubles, clock.now()),
  };
}

/** Causes of alarms that a rule holds active. */
function* ruleCauses(book: Book): Generator<string> {
  for (const alarm of book.causes()) if (alarm.rule !== null && alarm.state.startsWith('active')) yield alarm.cause;
}
