import {
  type Clock,
  type DeviceStatusSource,
  type HealthItem,
  type Intake,
  type Journal,
  type JournalBatch,
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
  /** Every committed batch, in order, synchronously after its commit; ticks included. Returns what ends it. */
  subscribe(listener: (batch: JournalBatch) => void): () => void;
}

/** From a message to a durable, numbered journal entry, and on into the readings store. */
export function createIngest(deps: IngestDeps): Ingest {
  const { journal, journalState, readings, registry, clock, log, metrics: registers, keepDays } = deps;
  const listeners = new Set<(batch: JournalBatch) => void>();
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
    committed(batch, _group, startedAt) {
      lastCommitMs = clock.now() - startedAt;
      metrics.commitSeconds.observe(lastCommitMs / 1000);
      intake.committed(batch);
      writer.push(batch);
      for (const listener of listeners) call(listener, batch);
    },
    rolledBack: (groups) => intake.rolledBack(groups),
    failed: (error) => log.error({ err: error }, 'journal commit failed; publishers were refused'),
    fault: (error) => log.error({ err: error }, 'a consumer of committed entries failed'),
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

  /** One consumer's fault must not keep the batch from the others. */
  function call(listener: (batch: JournalBatch) => void, batch: JournalBatch): void {
    try {
      listener(batch);
    } catch (error) {
      log.error({ err: error }, 'a consumer of committed entries failed');
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
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      startedAt = clock.now();
      unlisten = registry.onChange(({ entity, id }) => {
        if (entity !== 'device') return;
        devices.refresh(id);
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
