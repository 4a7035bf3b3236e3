import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BatchBuilder } from '@smart-fire/core';
import { createLog, openReadings } from '@smart-fire/core/node';
import { fleetOf, READING_METRIC } from '../fleet.ts';
import { openLoad } from '../load/load.ts';
import { startConsoles } from '../peers/peers.ts';
import { smartFire } from '../peers/smart-fire.ts';
import { type FigureGroup, figure, percentile } from './figure.ts';

const RATE = 20_000;
const ROUNDS = 3;
const MEASURE_MS = 5000;
/** Two people click without rest: one through histories, one connects again and again. */
const BETWEEN_READS_MS = 40;
/** Devices with a day of history at 1 Hz, before this day's load. */
const WITH_HISTORY = 25;
const BURNING = 500;
const POINTS = 300;
const DAY = 86_400_000;

/** What people read while 20,000 readings/s are acknowledged and stored, and what their reading costs the devices: PUBACK with and without, in turn. */
export const reads: FigureGroup = {
  keys: ['history_p99_ms_at_20k', 'snapshot_p99_ms_at_20k'],
  quick: [],
  async measure({ say }) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-reads-'));
    const gateways = fleetOf('reads', 500, 20);
    const burning = fleetOf('fires', BURNING / 20, 20);
    const devices = gateways.slice(0, WITH_HISTORY).map(({ children }) => children[0]!);
    await writeHistory(folder, devices);
    const server = await smartFire([...gateways, ...burning], {
      READINGS_URL: `sqlite:${join(folder, 'readings.db')}`,
    });
    const consoles = startConsoles();
    const load = await openLoad(server.port, { gateways, inFlight: 64 });
    const fires = await openLoad(server.port, { gateways: burning, inFlight: 20 });
    const alone: number[] = [];
    const read: number[] = [];
    const histories: number[] = [];
    const snapshots: number[] = [];
    try {
      const alarms = await fires.fires();
      const measure = () => load.measure({ rate: RATE, warmUpMs: 1000, measureMs: MEASURE_MS });
      // The first reading of a device is dearer than all later ones.
      await load.measure({ rate: RATE, measureMs: 3000 });
      for (let round = 0; round < ROUNDS; round++) {
        const unread = await measure();
        await server.settled();
        let running = true;
        const again = async (samples: number[], ask: (turn: number) => Promise<number>) => {
          for (let turn = 0; running; turn++) {
            samples.push(await ask(turn));
            await pause(BETWEEN_READS_MS);
          }
        };
        const [loaded] = await Promise.all([
          measure().finally(() => {
            running = false;
          }),
          again(histories, async (turn) => {
            const [to, began] = [Date.now(), performance.now()];
            const query = `metric=${READING_METRIC}&from=${to - DAY}&to=${to}&points=${POINTS}`;
            const { points } = await server.api.get<{ points: unknown[] }>(
              `devices/${devices[turn % WITH_HISTORY]}/readings?${query}`,
            );
            if (points.length < POINTS - 2) throw new Error(`a day came in ${points.length} points`);
            return performance.now() - began;
          }),
          again(snapshots, () => consoles.call('snapshot', { url: server.liveUrl, token: server.token, alarms })),
        ]);
        await server.settled();
        alone.push(unread.p99);
        read.push(loaded.p99);
        say(
          `reads: ${loaded.perSecond.toFixed(0)} readings/s, PUBACK p50 ${loaded.p50.toFixed(2)} p99 ${loaded.p99.toFixed(2)} ms (nobody reading: ${unread.p50.toFixed(2)}, ${unread.p99.toFixed(2)}); a day at 1 Hz to ${POINTS} points ${words(histories)}; snapshot of ${alarms} alarms ${words(snapshots)}`,
        );
      }
    } finally {
      load.stop();
      fires.stop();
      consoles.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
    return [
      figure('history_p99_ms_at_20k', [percentile(histories, 0.99)]),
      figure('history_p50_ms_at_20k', [percentile(histories, 0.5)]),
      figure('snapshot_p99_ms_at_20k', [percentile(snapshots, 0.99)]),
      figure('snapshot_p50_ms_at_20k', [percentile(snapshots, 0.5)]),
      figure('puback_p99_ms_at_20k_while_read', read),
      figure('puback_p99_ms_at_20k_unread', alone),
    ];
  },
};

const words = (ms: number[]) =>
  `p50 ${percentile(ms, 0.5).toFixed(1)} p99 ${percentile(ms, 0.99).toFixed(1)} ms (${ms.length})`;

/** A day until now, before the platform's first start: its journal begins anew, the store knows the devices. */
async function writeHistory(dataDir: string, devices: string[]): Promise<void> {
  const store = openReadings('sqlite:readings.db', { dataDir, log: createLog('silent') });
  await store.open(devices.map((device, index) => ({ index, device, point: '', metric: READING_METRIC })));
  const builder = new BatchBuilder();
  const start = Date.now() - DAY;
  for (let second = 0; second < DAY / 1000; second++) {
    const time = start + second * 1000;
    for (const index of devices.keys())
      builder.addReading(index, time, time, Math.round(200 + 50 * Math.random()) / 10, 0);
    if (second % 200 !== 199) continue;
    const batch = builder.build();
    builder.clear();
    await store.write([batch]);
  }
  await store.close();
}
