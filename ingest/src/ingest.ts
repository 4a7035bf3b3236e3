import {
  type Clock,
  type DeviceStatusSource,
  type HealthItem,
  type Intake,
  type Journal,
  type JournalConsumer,
  type JournalState,
  type ReadingsStore,
  type Registry,
  type Service,
  TICK_MS,
  type Timer,
} from '@smart-fire/core';
import type { Logger, MetricsRegistry } from '@smart-fire/core/node';
import { Devices } from './devices.ts';
import { GroupCommit } from './group-commit.ts';
import { healthOf } from './health.ts';
import { IngestIntake } from './intake.ts';
import { LastValues } from './last-values.ts';
import { createIngestMetrics } from './metrics.ts';
import { RawMessages } from './raw-messages.ts';
import { restore } from './restore.ts';
import { createRetention, type KeepDays } from './retention.ts';
import { Status } from './status.ts';
import { ReadingsWriter } from './writer.ts';

export interface IngestDeps {
  /** Already open; `journalState` is what its `open` gave. */
  journal: Journal;
  journalState: JournalState;
  /** Opened by ingest, which goes on trying when the store is away. */
  readings: ReadingsStore;
  registry: Registry;
  clock: Clock;
  log: Logger;
  metrics: MetricsRegistry;
  /** Readings older than this are dropped. */
  keepDays: KeepDays;
}

export interface Ingest extends Service {
  intake: Intake;
  status: DeviceStatusSource;
  health(): HealthItem[];
  /** Told of every batch, ticks included. Returns what ends it. */
  subscribe(consumer: JournalConsumer): () => void;
}

/** From a message to a durable, numbered journal entry, and on into the readings store. */
export function createIngest(deps: IngestDeps): Ingest {
  const { journal, journalState, readings, registry, clock, log, metrics: registers, keepDays } = deps;
  const consumers = new Set<JournalConsumer>();
  const devices = new Devices(registry);
  const last = new LastValues();
  const status = new Status(devices, last, registry, clock);
  const raw = new RawMessages();
  let lastCommitMs = 0;
  let startedAt = clock.now();
  let timers: Timer[] = [];
  let unlisten = () => {};

  const commit = new GroupCommit({
    journal,
    nextNo: journalState.nextNo,
    clock,
    arrived: (batch) => tell((consumer) => consumer.arrived(batch)),
    committed(batch, startedAt) {
      lastCommitMs = clock.now() - startedAt;
      metrics.commitSeconds.observe(lastCommitMs / 1000);
      intake.committed(batch);
      writer.push(batch);
      tell((consumer) => consumer.committed(batch));
    },
    rolledBack(groups, refusal) {
      intake.rolledBack(groups);
      tell((consumer) => consumer.refused(refusal));
    },
    failed: (error) => log.error({ err: error }, 'journal commit failed; publishers were refused'),
    fault: (error) => log.error({ err: error }, 'a consumer of the journal failed'),
  });
  const writer = new ReadingsWriter({
    journal,
    readings,
    clock,
    from: journalState.cursors.readings ?? journalState.firstNo,
    nextNo: journalState.nextNo,
    series: journalState.series,
    changed: (error) =>
      error
        ? log.warn({ err: error }, 'readings store is away; readings wait in the journal')
        : log.info('readings store is back'),
  });
  const metrics = createIngestMetrics(registers, {
    journalBytes: () => journal.usage().bytes,
    accepting: () => commit.accepting,
    lagEntries: () => writer.lagEntries,
    lagSeconds: () => writer.lagSeconds,
  });
  const intake = new IngestIntake({ commit, devices, last, status, raw, metrics, clock });
  const retention = createRetention({
    readings,
    clock,
    keepDays,
    failed: (error) => log.warn({ err: error }, 'old readings could not be dropped; tried again in an hour'),
  });

  /** One consumer's fault must not keep the news from the others. */
  function tell(news: (consumer: JournalConsumer) => void): void {
    for (const consumer of consumers)
      try {
        news(consumer);
      } catch (error) {
        log.error({ err: error }, 'a consumer of the journal failed');
      }
  }

  return {
    intake,
    status: {
      status: (device) => status.status(device),
      raw: (device) => raw.of(device, devices.slots.get(device)?.raw),
      onChange: (listener) => status.onChange(listener),
    },
    health: () => healthOf(clock.now(), startedAt, journal, commit, lastCommitMs, writer),
    subscribe(consumer) {
      consumers.add(consumer);
      return () => consumers.delete(consumer);
    },
    async start() {
      startedAt = clock.now();
      unlisten = registry.onChange(({ entity, id }) => {
        if (entity !== 'device') return;
        devices.refresh(id);
        status.refresh(id);
        const slot = devices.slots.get(id);
        if (slot?.raw && !registry.devices.has(id)) {
          raw.forget(slot.raw);
          slot.raw = null;
        }
      });
      await restore({
        journal,
        journalState,
        readings,
        openReadings: () => writer.open(),
        devices,
        last,
        status,
        clock,
      });
      commit.open();
      writer.start();
      await retention.start();
      timers = [clock.setInterval(() => commit.tick(clock.now()), TICK_MS)];
      commit.tick(clock.now());
    },
    async stop() {
      unlisten();
      for (const timer of timers.splice(0)) timer.cancel();
      await commit.close();
      await writer.stop();
      await retention.stop();
      status.stop();
    },
  };
}
