import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchBuilder, TICK_MS } from '@smart-fire/core';
import { openJournal, systemClock } from '@smart-fire/core/node';
import { Api } from '../../harness/api.ts';
import { SmartFireServer } from '../../harness/server.ts';
import { fleetOf, READING_METRIC } from '../fleet.ts';
import { onlyTheTen } from '../peers/only-the-ten.ts';
import { PASSWORD, provisionCentre } from '../peers/provision-centre.ts';
import { type FigureGroup, figure, median } from './figure.ts';

const OPEN_READINGS = 1_000_000;
/** Of one commit: as many as a busy centre's disk takes at once. */
const BATCH = 5000;
const JOURNAL_MAX = 1024 ** 3;

/**
 * What a million readings that neither the rules nor the readings writer have seen add to a start: the time until the platform says that it
 * is ready (rules in step with the journal, last values known, ports open), less that of a start with nothing open.
 */
export const restart: FigureGroup = {
  keys: ['restart_1m_open_s'],
  quick: [],
  async measure({ say }) {
    const dataDir = mkdtempSync(join(tmpdir(), 'smart-fire-bench-'));
    const gateways = fleetOf('restart', 500, 20);
    const detectors = gateways.flatMap(({ children }) => children);
    await provisionCentre(dataDir, gateways);
    const server = await SmartFireServer.launch({ DATA_DIR: dataDir });
    try {
      await onlyTheTen(await new Api(server.url).logIn('bench', PASSWORD));
      const nothingOpen: number[] = [];
      const open: number[] = [];
      for (let round = 0; round < 3; round++) {
        await server.kill('SIGTERM');
        nothingOpen.push(await secondsToStart(server));
        await server.kill('SIGTERM');
        await leaveOpen(dataDir, detectors);
        open.push(await secondsToStart(server));
      }
      say(
        `restart: ready after ${median(nothingOpen).toFixed(2)} s with nothing open, ${median(open).toFixed(2)} s with ${OPEN_READINGS} readings of ${detectors.length} devices open`,
      );
      return [
        figure(
          'restart_1m_open_s',
          open.map((seconds, round) => seconds - nothingOpen[round]!),
        ),
      ];
    } finally {
      await server.remove();
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
};

async function secondsToStart(server: SmartFireServer): Promise<number> {
  const began = performance.now();
  await server.start();
  return (performance.now() - began) / 1000;
}

/** Commits readings as a platform does that is killed before any consumer has seen them: every detector once a second, up to now. */
async function leaveOpen(dataDir: string, detectors: readonly string[]): Promise<void> {
  const journal = openJournal('sqlite:journal.db', { dataDir, max: JOURNAL_MAX, clock: systemClock });
  const { nextNo, series } = await journal.open();
  try {
    const known = new Map(series.map(({ index, device, metric }) => [`${device} ${metric}`, index]));
    const builder = new BatchBuilder(nextNo);
    const commit = async () => {
      await journal.commit(builder.build(), { deadLetters: [], marks: [] });
      builder.clear();
    };
    const seconds = OPEN_READINGS / detectors.length;
    let time = Date.now() - seconds * TICK_MS;
    for (let second = 0; second < seconds; second++, time += TICK_MS) {
      builder.addEntry({ type: 'tick', receivedAt: time });
      for (const device of detectors) {
        let index = known.get(`${device} ${READING_METRIC}`);
        if (index === undefined) {
          index = known.size;
          known.set(`${device} ${READING_METRIC}`, index);
          builder.addSeries({ index, device, point: '', metric: READING_METRIC });
        }
        builder.addReading(index, time, time, (second * 7 + index) % 10, 0);
        if (builder.readings === BATCH) await commit();
      }
    }
    await commit();
  } finally {
    await journal.close();
  }
}
