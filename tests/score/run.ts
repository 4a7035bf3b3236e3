import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { scoreCounty } from './county.ts';
import { scoreDisturbances } from './disturbances.ts';
import { scoreFires } from './fires.ts';
import { scoreHabits } from './habits.ts';
import { scoreSkab } from './skab.ts';
import { type Score, type ScoreLine, scoreTable } from './table.ts';

// `npm run score [-- --quick] [-- --only NAME]`: early warning over recordings made by others, and over a simulated county, in one table.
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
});

/** `folder` = the part of the recordings it needs; null = none. */
const GROUPS: { name: string; folder: string | null; score: Score }[] = [
  { name: 'skab', folder: 'skab', score: scoreSkab },
  { name: 'disturbances', folder: 'skab', score: scoreDisturbances },
  { name: 'fires', folder: 'fires', score: scoreFires },
  { name: 'habits', folder: null, score: scoreHabits },
  { name: 'county', folder: null, score: scoreCounty },
];

const recordings = process.env.SMARTFIRE_RECORDINGS ? resolve(process.env.SMARTFIRE_RECORDINGS) : null;
const say = (line: string) => console.log(line);
const groups: { name: string; lines: ScoreLine[] }[] = [];
const missing: string[] = [];
for (const { name, folder, score } of GROUPS) {
  if (options.only !== undefined && options.only !== name) continue;
  if (folder !== null && (recordings === null || !existsSync(resolve(recordings, folder)))) {
    missing.push(
      `${name}: not scored, ${recordings === null ? 'SMARTFIRE_RECORDINGS names no folder' : `no ${folder} in ${recordings}`}`,
    );
    continue;
  }
  const began = performance.now();
  try {
    groups.push({ name, lines: await score({ folder: recordings ?? '', quick: options.quick, say }) });
    say(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  } catch (error) {
    say(`${name}: ${error instanceof Error ? error.stack : error}`);
    process.exitCode = 1;
  }
}

say('');
if (groups.length > 0) say(scoreTable(groups));
for (const line of missing) say(line);
// "Not scored" is no success where everything is required.
if (missing.length > 0 && process.env.SMARTFIRE_REQUIRE) process.exitCode = 1;
