import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { BatchBuilder } from '../journal-batch.ts';
import { createEmbeddedReadings } from '../node/readings/embedded/embedded.ts';
import type { JournalBatch, SeriesRow } from '../ports/journal.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
export const RETAINED_SERIES: SeriesRow[] = ['a', 'b'].map((device, index) => ({
  ...{ index, device, point: '', metric: 'co' },
}));

/** Batch `at` of a stream that is always the same: half a day of two series, a reading a minute; every tenth comes 20 days late. */
export function retainedBatch(at: number): JournalBatch {
  const builder = new BatchBuilder(1 + at * 1440);
  for (let row = 0; row < 1440; row++) {
    const receivedAt = 1.7e12 + at * (DAY / 2) + Math.floor(row / 2) * MINUTE;
    builder.addReading(
      row % 2,
      receivedAt - (row % 20 < 2 ? 20 * DAY + 1 : 0),
      receivedAt,
      ((at * 1440 + row) % 97) / 10,
      0,
    );
  }
  return builder.build();
}

/** The border while batch `at` is written. */
export const retainedBefore = (at: number) => ({ readings: 1.7e12 + at * (DAY / 2) - 40 * DAY, trends: 0 });

// A process to be killed: writes the stream, has old readings dropped meanwhile, and says on standard output what is durable.
if (process.argv[1] === import.meta.filename) {
  const log = pino({ level: 'silent' });
  const store = createEmbeddedReadings({ file: join(process.argv[2]!, 'readings.db'), log });
  await store.open(RETAINED_SERIES);
  for (let at = 0; ; at++) {
    const [{ durableBelow }] = await Promise.all([store.write([retainedBatch(at)]), store.retain(retainedBefore(at))]);
    writeSync(1, `${durableBelow} ${at}\n`);
  }
}
