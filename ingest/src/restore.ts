import {
  CLOCK_WINDOW,
  type Clock,
  type Journal,
  type JournalState,
  type ReadingsStore,
  type SeriesKey,
} from '@smart-fire/core';
import type { Devices } from './devices.ts';
import { fromBigint } from './identity.ts';
import type { LastValues } from './last-values.ts';
import type { Status } from './status.ts';

/** The start waits no longer than this for what was known before. */
const RESTORE_MS = 5000;
/** Newest journal entries looked at; at 5,000 a second these are the last three minutes. */
const ENTRIES_MAX = 1_000_000;
const READ_MAX = 50_000;
/** Series asked for at the same time. */
const PARALLEL = 8;
/** How far back a silent device's last value is looked for, and in which steps. */
const LOOK_BACK_MS = 30 * 86_400_000;
const LOOK_BACK_BUCKETS = 720;
const POINTS_MAX = 1000;

interface RestoreDeps {
  journal: Journal;
  journalState: JournalState;
  readings: ReadingsStore;
  /** Resolves when the readings store can be asked. */
  openReadings(): Promise<void>;
  devices: Devices;
  last: LastValues;
  status: Status;
  clock: Clock;
}

/** Last values, silence and dedupe marks as they were before the restart; gives up quietly when the time is over. */
export async function restore(deps: RestoreDeps): Promise<void> {
  const { journalState, devices, last, clock } = deps;
  devices.restore(journalState.series);
  last.reserve(journalState.series.length);
  for (const { device, hash, receivedAt } of journalState.marks) {
    const slot = devices.slot(device);
    slot.marks.add(fromBigint(hash), receivedAt);
    slot.telemetryMarked = true;
  }

  let expired = false;
  let timer: { cancel(): void } | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = clock.setTimeout(() => {
      expired = true;
      resolve();
    }, RESTORE_MS);
  });
  // A readings store that is away costs the last values of silent devices, not the start.
  const work = fromJournal(deps, () => expired).then(() => fromReadings(deps, () => expired).catch(() => {}));
  try {
    await Promise.race([work, deadline]);
  } finally {
    timer?.cancel();
    // Whatever still answers comes too late: messages are being judged already.
    expired = true;
    work.catch(() => {});
  }
}

async function fromJournal(deps: RestoreDeps, expired: () => boolean): Promise<void> {
  const { journal, journalState, last, status } = deps;
  let no = Math.max(journalState.firstNo, journalState.nextNo - ENTRIES_MAX);
  while (no < journalState.nextNo && !expired()) {
    const batches = await journal.read(no, READ_MAX);
    if (batches.length === 0 || expired()) return;
    for (const batch of batches) {
      last.restore(batch.readings);
      status.consume(batch);
      no = batch.firstNo + batch.count;
    }
  }
}

async function fromReadings(deps: RestoreDeps, expired: () => boolean): Promise<void> {
  const { readings, devices, last, status, clock } = deps;
  await deps.openReadings();
  const missing = devices.series.filter(({ index }) => Number.isNaN(last.time[index]!));
  const now = clock.now();
  let next = 0;
  const worker = async () => {
    while (next < missing.length && !expired()) {
      const row = missing[next++]!;
      const slot = devices.slotOf[row.index]!;
      const found = await lastPoint(readings, row, now, slot.ranges.intervalMs);
      if (!found || expired()) continue;
      last.restoreOne(row.index, ...found);
      status.restore(slot, Math.min(found[0], now), now);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/** The last point of a series: where a healthy device's must be, else in the last hour of the month that has any. */
async function lastPoint(
  readings: ReadingsStore,
  { device, point, metric }: SeriesKey,
  now: number,
  intervalMs: number,
): Promise<[time: number, value: number] | undefined> {
  const key = { device, point, metric };
  const to = now + CLOCK_WINDOW.future + 1;
  const recent = now - 3 * intervalMs;
  const found = await readings.points({ ...key, from: recent, to }, POINTS_MAX);
  if (found.length > 0) return found.at(-1);
  const span = { ...key, from: now - LOOK_BACK_MS, to: recent };
  if (span.from >= span.to) return undefined;
  const bucket = (await readings.buckets(span, LOOK_BACK_BUCKETS)).at(-1);
  if (!bucket) return undefined;
  return (await readings.points({ ...span, from: bucket[0] }, POINTS_MAX * 10)).at(-1);
}
