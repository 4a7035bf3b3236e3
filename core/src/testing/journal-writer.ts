import { writeSync } from 'node:fs';
import { BatchBuilder } from '../journal-batch.ts';
import { systemClock } from '../node/clock.ts';
import { openJournal } from '../node/journal/open.ts';

// A process to be killed: commits without end to the journal in the folder given, and says on standard output which number is durable.
const journal = openJournal('sqlite:journal.db', { dataDir: process.argv[2]!, max: 2 ** 30, clock: systemClock });
let { nextNo } = await journal.open();
for (;;) {
  const builder = new BatchBuilder(nextNo);
  for (let row = 0; row < 500; row++) builder.addReading(row, nextNo + row, nextNo, (nextNo + row) / 7, 0);
  builder.addEntry({ type: 'tick', receivedAt: nextNo });
  const batch = builder.build();
  await journal.commit(batch, {
    deadLetters: [],
    marks: [{ device: 'd', hash: BigInt(nextNo), receivedAt: systemClock.now() }],
  });
  nextNo += batch.count;
  writeSync(1, `${nextNo}\n`);
}
