import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fleetOf } from '../fleet.ts';
import { openLoad } from '../load/load.ts';
import { smartFire } from '../peers/smart-fire.ts';
import { type FigureGroup, figure, median, notMeasured } from './figure.ts';

const DEVICES = 5000;
const SAMPLES = 10;
const GIVE_UP_MS = 40_000;

/** Resident memory of a process in kB, once it has stopped changing (within 1 % over 5 s). */
async function settledRss(pid: number): Promise<number> {
  const samples: number[] = [];
  for (const deadline = performance.now() + GIVE_UP_MS; performance.now() < deadline; await pause(500)) {
    samples.push(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]));
    const last = samples.slice(-SAMPLES);
    if (last.length === SAMPLES && Math.max(...last) / Math.min(...last) < 1.01) return median(last);
  }
  return median(samples.slice(-SAMPLES));
}

/** What 5,000 devices cost the server that are connected, have sent a reading each and are silent now. */
export const memory: FigureGroup = {
  keys: ['kb_per_connected_device'],
  quick: [],
  async measure({ say }) {
    if (process.platform !== 'linux') return [notMeasured('kb_per_connected_device', 'needs /proc')];
    const gateways = fleetOf('memory', DEVICES / 20, 20);
    const server = await smartFire(gateways);
    try {
      const idle = await settledRss(server.pid);
      const devices = gateways
        .flatMap(({ children }) => children)
        .map((id) => ({ id, secret: server.secrets.get(id)!, children: [id] }));
      const load = await openLoad(server.port, { gateways: devices, inFlight: 1 });
      await load.measure({ rate: DEVICES / 5, warmUpMs: 0, measureMs: 5500 });
      const connected = await settledRss(server.pid);
      load.stop();
      const each = (connected - idle) / DEVICES;
      say(
        `memory: ${(idle / 1024).toFixed(0)} MiB idle with ${server.secrets.size} devices known, ${(connected / 1024).toFixed(0)} MiB with ${DEVICES} connected: ${each.toFixed(1)} kB each`,
      );
      return [figure('kb_per_connected_device', [each])];
    } finally {
      await server.stop();
    }
  },
};
