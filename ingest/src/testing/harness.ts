import {
  deviceTopic,
  type InboundMessage,
  type JournalBatch,
  type JournalEntry,
  Registry,
  TICK_MS,
} from '@smart-fire/core';
import { createLog, MetricsRegistry } from '@smart-fire/core/node';
import { FakeClock, MemoryJournal, MemoryReadings } from '@smart-fire/core/testing';
import { createIngest } from '../ingest.ts';

/** A registry with one site and devices of the kind given, created at the clock's time. */
export function registryOf(devices: Record<string, { kind?: string; gateway?: string }>, createdAt: number): Registry {
  const registry = new Registry();
  registry.putArea({ id: 'a', parent: null, level: 'city', name: '县', code: null, path: '/a/' });
  registry.putSite({ id: 's', area: 'a', name: '单位', address: '', contacts: [], path: '/a/s/' });
  for (const [id, { kind = 'heat-detector', gateway = null }] of Object.entries(devices))
    registry.putDevice({
      id,
      kind,
      name: id,
      site: 's',
      zone: null,
      gateway,
      location: '',
      disabled: false,
      createdAt,
      secretHash: '',
    });
  return registry;
}

export interface HarnessOptions {
  journal?: MemoryJournal;
  readings?: MemoryReadings;
  clock?: FakeClock;
  registry?: Registry;
  keepDays?: { readings: number; trends: number };
}

/** Ingest over the doubles in memory, with what a test asks of it. */
export async function startIngest(options: HarnessOptions = {}) {
  const clock = options.clock ?? new FakeClock();
  const journal = options.journal ?? new MemoryJournal();
  const readings = options.readings ?? new MemoryReadings();
  const registry = options.registry ?? registryOf({ d1: {}, d2: {} }, clock.now());
  const metrics = new MetricsRegistry();
  const journalState = await journal.open();
  const log = createLog('silent');
  const ingest = createIngest({
    journal,
    journalState,
    readings,
    registry,
    clock,
    log,
    metrics,
    keepDays: options.keepDays ?? { readings: 400, trends: 3650 },
  });
  const seen: JournalBatch[] = [];
  ingest.subscribe({ arrived() {}, committed: (batch) => seen.push(batch), refused() {} });
  await ingest.start();

  const accept = (message: Partial<InboundMessage> & { body: unknown }): Promise<Error | null> => {
    const { body, ...rest } = message;
    const device = rest.device ?? 'd1';
    const channel = rest.channel ?? 'telemetry';
    const payload = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    return new Promise((resolve) =>
      ingest.intake.accept(
        {
          device,
          memo: null,
          channel,
          topic: deviceTopic(device, channel),
          bytes: payload,
          from: 0,
          to: payload.length,
          qos: 1,
          dup: false,
          packetId: 1,
          receivedAt: clock.now(),
          ...rest,
        },
        { settled: resolve },
      ),
    );
  };

  return {
    ...ingest,
    clock,
    journal,
    readings,
    registry,
    seen,
    accept,
    telemetry: (body: unknown, rest: Partial<InboundMessage> = {}) => accept({ body, ...rest }),
    event: (body: unknown, rest: Partial<InboundMessage> = {}) => accept({ body, channel: 'event', ...rest }),
    /** What a publisher is told that has to wait for the next tick. */
    atTick<Answer>(answer: Promise<Answer>): Promise<Answer> {
      clock.advance(TICK_MS);
      return answer;
    },
    rows: () => journal.batches.flatMap(rowsOf),
    entries: <Type extends JournalEntry['type']>(type: Type) =>
      journal.batches
        .flatMap((batch) => batch.entries)
        .filter((entry): entry is Extract<JournalEntry, { type: Type }> => entry.type === type),
    metric: async (name: string) => {
      const found = await metrics.getSingleMetric(name)?.get();
      return (found?.values ?? []).reduce((sum, { value }) => sum + value, 0);
    },
  };
}

export interface Row {
  no: number;
  series: number;
  time: number;
  receivedAt: number;
  value: number;
  flags: number;
}

/** The readings of a batch, one object each. */
export function rowsOf({ readings }: JournalBatch): Row[] {
  return Array.from({ length: readings.length }, (_, row) => ({
    no: readings.no[row]!,
    series: readings.series[row]!,
    time: readings.time[row]!,
    receivedAt: readings.receivedAt[row]!,
    value: readings.value[row]!,
    flags: readings.flags[row]!,
  }));
}

/** Waits until it holds; the test's own time limit ends it when it never does. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
