import type {
  AlarmBook,
  Clock,
  HealthItem,
  Journal,
  JournalConsumer,
  JournalState,
  LearnedRange,
  LiveRules,
  Registry,
  RuleSource,
  Service,
  Timer,
} from '@smart-fire/core';
import type { Logger, MetricsRegistry, StateStore } from '@smart-fire/core/node';
import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { Book } from './alarms/book.ts';
import { createAlarmRepository } from './alarms/repository.ts';
import { createCheckpoints } from './checkpoints.ts';
import { Durable } from './durable.ts';
import { alertingHealth } from './health.ts';
import { registerMetrics } from './metrics.ts';
import type { Effect } from './rules/effect.ts';
import { Engine } from './rules/engine.ts';

/** Entries read at once in replay: some ms of work between two turns of the event loop. */
const REPLAY_CHUNK = 20_000;
const CHECKPOINT_MS = 5_000;

export interface AlertingDeps {
  journal: Journal;
  journalState: JournalState;
  state: StateStore;
  registry: Registry;
  /** Started before; what we ship, unchanged, when left out. */
  rules?: RuleSource;
  /** IANA, for schedules; UTC when left out. */
  timeZone?: string;
  clock: Clock;
  log: Logger;
  metrics: MetricsRegistry;
}

/** To be told once `start` has resolved. Synchronous; a batch may come again. */
export interface Alerting extends Service, JournalConsumer {
  book: AlarmBook;
  /** The rules as they run; empty before `start` has resolved. */
  live: LiveRules;
  health(): HealthItem[];
}

/**
 * Rules over the journal, and the book of alarms. `start` loads the unclosed alarms and the engine's last checkpoint and replays the
 * journal from there; rejects with FIRE_FORMAT_UNKNOWN for a checkpoint it does not know and FIRE_STATE_UNAVAILABLE.
 */
export function createAlerting(deps: AlertingDeps): Alerting {
  const { journal, journalState, state, registry, rules = asShipped(), timeZone = 'UTC', clock, log } = deps;
  const repository = createAlarmRepository(state);
  const durable = new Durable(journalState.nextNo, clock);
  const book = new Book({ repository, durable, clock, log });
  const checkpoints = createCheckpoints({ repository, book, durable, rules, journal, clock, log });
  const troubles = { startedAt: clock.now(), rulesSince: null };
  let engine: Engine | null = null;
  let timer: Timer | null = null;
  const unsubscribe: (() => void)[] = [];
  let settling: Promise<void> | null = null;
  let stopped = false;
  registerMetrics(deps.metrics, book, () => engine);

  async function start(): Promise<void> {
    await book.load();
    const checkpoint = await checkpoints.load();
    // A journal that ends before our checkpoint is another journal: its numbers say nothing about what we have done.
    const known = checkpoint !== null && checkpoint.head.next <= journalState.nextNo;
    if (checkpoint && !known)
      log.warn(
        { checkpoint: checkpoint.head.next, journal: journalState.nextNo },
        'the journal was replaced; rules start afresh',
      );
    const applied = checkpoint && !known ? 0 : await repository.applied();
    let replaying = true;
    const started = new Engine({
      ...{ registry, ...rules.current(), series: journalState.series, withheld: rules, timeZone },
      emit(effect) {
        if (effect.shadow) takeShadow(rules, effect);
        else if (!replaying || effect.no > applied) book.absorb(effect);
      },
    });
    if (known) started.restore(checkpoint.head, checkpoint.parts);
    await rules.replayFrom(checkpoint && !known ? null : started.next, journalState.nextNo);
    await replay(started);
    replaying = false;
    started.reconcile(ruleCauses(book), clock.now());
    engine = started;
    follow(started);
    timer = clock.setInterval(() => void checkpoints.save(started), CHECKPOINT_MS);
  }

  function running(): Engine {
    if (!engine) throw new Error('alerting has not started');
    return engine;
  }

  async function replay(into: Engine): Promise<void> {
    const from = into.next;
    for (;;) {
      const batches = await journal.read(into.next, REPLAY_CHUNK);
      const before = into.next;
      for (const batch of batches) into.consume(batch);
      if (into.next === before) break;
      await nextTurn();
    }
    log.info({ from, to: into.next, unclosed: book.unclosed().length }, 'rules have caught up with the journal');
  }

  /**
   * Devices come to changed rules bit by bit, so that no alarm waits for all of them. Changes of rules are none of the journal's: a checkpoint
   * keeps them from being undone by a replay.
   */
  async function settle(running: Engine): Promise<void> {
    do await nextTurn();
    while (!stopped && !running.settle(clock.now()));
    settling = null;
    if (!stopped) void checkpoints.save(running);
  }

  function follow(running: Engine): void {
    let placesChanged = false;
    unsubscribe.push(
      registry.onChange(({ entity, id }) => {
        if (entity === 'device') running.refresh(id, clock.now());
        else if (!placesChanged) {
          placesChanged = true;
          queueMicrotask(() => {
            placesChanged = false;
            running.refreshPlaces(clock.now());
            settling ??= settle(running);
          });
        }
      }),
      rules.onChange(() => {
        const { rules: changed, maintenance } = rules.current();
        running.setRules(changed, maintenance, clock.now());
        settling ??= settle(running);
      }),
    );
  }

  return {
    book,
    start,
    async stop() {
      stopped = true;
      for (const end of unsubscribe.splice(0)) end();
      timer?.cancel();
      await settling;
      if (engine) await checkpoints.finish(engine);
      book.stop();
    },
    live: {
      figures: () => new Map(engine?.rules().map(({ id, errors, lastError }) => [id, { errors, lastError }])),
      learned: (rule, device) => engine?.learned(rule, device)?.map(rangeOf) ?? null,
      reset(rule, device) {
        engine?.reset(rule, device, clock.now());
        if (engine) void checkpoints.save(engine);
      },
    },
    arrived: (batch) => running().consume(batch),
    committed(batch) {
      durable.reach(batch.firstNo + batch.count);
      running().consume(batch);
    },
    refused(refusal) {
      running().refused(refusal);
      book.refused(refusal);
      rules.refused(refusal.no);
      durable.refuse();
    },
    health: () => alertingHealth(book, engine?.rules() ?? [], troubles, clock.now()),
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function rangeOf({ point, metric, centre, low, high }: LearnedRange): LearnedRange {
  return { point, metric, centre, low, high };
}

/** A rule that is tried out is listed with what was withheld. */
function takeShadow(rules: RuleSource, effect: Effect): void {
  const { no, cause, time } = effect;
  if (effect.type === 'clear') {
    rules.withheldOver({ no, cause, time });
    return;
  }
  const { class: alarmClass, level, device, point, site, zone, rule, explanation } = effect;
  rules.withhold({
    ...{ no, cause, why: 'shadow', rule: rule!, maintenance: null, class: alarmClass, level, device, point },
    ...{ site, zone, time, explanation },
  });
}

/** Causes of alarms that a rule holds active. */
function* ruleCauses(book: Book): Generator<string> {
  for (const alarm of book.causes()) if (alarm.rule !== null && alarm.state.startsWith('active')) yield alarm.cause;
}

/** The presets, unchanged and for ever. */
function asShipped(): RuleSource {
  const shipped = { rules: presetRules(SENSOR_KINDS), maintenance: [] };
  return {
    current: () => shipped,
    onChange: () => () => undefined,
    withhold: () => undefined,
    withheldOver: () => undefined,
    refused: () => undefined,
    replayFrom: async () => undefined,
    flush: async () => undefined,
  };
}
