import { setTimeout as pause } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import type { Arrival } from '../consoles/consoles.ts';
import { openLoad, type SentAlert } from '../load/load.ts';
import { monotonic } from '../monotonic.ts';
import { type Figure, type FigureGroup, figure, median, percentile } from './figure.ts';
import { matchByCount } from './match-alerts.ts';

const BURNING = 20;
const BETWEEN_FIRES_MS = 15;
const DAY = 86_400_000;
/** P2 asks for the first; the second is all that we can take. */
const RATES = [5000, null];

/** What people feel while devices report: a fire's way to the console, a console's snapshot, a device's history as a chart. */
export const fanOut: FigureGroup = {
  keys: ['fire_to_screen_p99_ms_at_5k', 'fire_to_screen_p99_ms_at_full_ingest'],
  quick: [],
  async measure({ peers, say }) {
    const ours = await peers.ours();
    const figures: Figure[] = [];
    // Gateways of their own declare the fires; the load is on others.
    const burning = peers.fleet.deep.slice(-BURNING);
    const clients = await Promise.all(
      burning.map(({ id, secret }) =>
        connectAsync({ host: '127.0.0.1', port: ours.port, username: id, password: secret, clientId: `${id}-fire` }),
      ),
    );
    const load = await openLoad(ours.port, { gateways: peers.fleet.wide, inFlight: 64 });
    try {
      for (const rate of RATES) {
        const name = rate === null ? 'full_ingest' : `${rate / 1000}k`;
        const before = await ours.consoles.call('counts', null);
        await ours.consoles.call('take', null);
        let running = true;
        const loading = load.measure({ rate, measureMs: 8000 }).finally(() => {
          running = false;
        });
        const sent: SentAlert[] = [];
        const [snapshots, queries]: [number[], number[]] = [[], []];
        const readers = (async () => {
          while (running) {
            const alarms = await ours.consoles.call('alarms', null);
            snapshots.push(await ours.consoles.call('snapshot', { url: ours.liveUrl, token: ours.token, alarms }));
            const device = peers.fleet.wide[queries.length % 50]!.children[0]!;
            const began = performance.now();
            const from = Date.now() - DAY;
            await ours.api.get(`devices/${device}/readings?metric=co&from=${from}&to=${Date.now()}&points=300`);
            queries.push(performance.now() - began);
            await pause(50);
          }
        })();
        for (; running; await pause(BETWEEN_FIRES_MS)) {
          const which = sent.length % BURNING;
          const seq = sent.length;
          sent.push({ device: burning[which]!.id, seq, at: monotonic(), warmUp: false });
          const payload = JSON.stringify({ ts: Date.now(), seq, event: 'fire' });
          clients[which]!.publish(`smartfire/v1/${burning[which]!.id}/event`, payload, { qos: 1 });
        }
        const [{ perSecond }] = await Promise.all([loading, readers]);
        await pause(1000);
        const arrivals: Arrival[] = await ours.consoles.call('take', null);
        const latencies = matchByCount(sent, arrivals, before);
        const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
        say(
          `at ${perSecond.toFixed(0)} readings/s: fire to console p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms (${sent.length} fires); snapshot ${median(snapshots).toFixed(1)} ms; a day of a device to 300 points ${median(queries).toFixed(1)} ms`,
        );
        figures.push(
          figure(`fire_to_screen_p50_ms_at_${name}`, [p50]),
          figure(`fire_to_screen_p99_ms_at_${name}`, [p99]),
          figure(`snapshot_ms_at_${name}`, snapshots),
          figure(`history_query_ms_at_${name}`, queries),
        );
        await ours.settled();
      }
    } finally {
      load.stop();
      await Promise.all(clients.map((client) => client.endAsync(true)));
    }
    return figures;
  },
};
