import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { BatchBuilder } from '../journal-batch.ts';
import { openReadings } from '../node/readings/open.ts';
import type { JournalBatch, SeriesRow } from '../ports/journal.ts';

export const WRITER_SERIES: SeriesRow[] = Array.from({ length: 5 }, (_, index) => ({
  index,
  device: `d${index}`,
  point: '',
  metric: 'co',
}));

/** Batch `at` of a stream that is always the same; every tenth reading is late by 40 s. */
export function writerBatch(at: number): JournalBatch {
  const builder = new BatchBuilder(1 + at * 5000);
  for (let row = 0; row < 5000; row++) {
    const time = 1.7e12 + (at * 1000 + Math.floor(row / 5)) * 1000 - (row % 50 < 5 ? 40_000.5 : 0);
    builder.addReading(row % 5, time, 1.7e12 + at, ((at * 5000 + row) % 97) / 10, 0);
  }
  return builder.build();
}

// A process to be killed: writes the stream and says on standard output what is durable.
if (process.argv[1] === import.meta.filename) {
  const store = openReadings('sqlite:readings.db', { dataDir: process.argv[2]!, log: pino({ level: 'silent' }) });
  await store.open(WRITER_SERIES);
  for (let at = 0; ; at++) {
    const { durableBelow } = await store.write([writerBatch(at)]);
    writeSync(1, `${durableBelow} ${at}\n`);
  }
}
