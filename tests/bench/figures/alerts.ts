import { setTimeout as pause } from 'node:timers/promises';
import type { Arrival, ConsolesFunctions } from '../consoles/consoles.ts';
import { type BenchLoad, openLoad } from '../load/load.ts';
import { cpuSeconds, type Peer } from '../peers/peer.ts';
import { startConsoles } from '../peers/peers.ts';
import type { CalledProcess } from '../process-call.ts';
import { type BenchContext, type Figure, type FigureGroup, figure, notMeasured, percentile, reason } from './figure.ts';
import { type Latencies, matchByCount, matchBySeq } from './match-alerts.ts';

/** The alert must be at the console in time… */
const LIMIT_MS = 50;
/** …and the generator must not have been held up. */
const KEPT_PACE = 0.98;
/** At this rate both are compared, each warmed up until its heap has its size: what runs for months is not judged by its first half minute. */
const COMPARED = 5000;
const ROUNDS = 9;
const WARM_UP_MS = 40_000;
const LADDER = [
  ...[5000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000],
  ...[120_000, 160_000, 240_000, 320_000, 480_000],
];
/** Up to here gateways may also send a reading when it is its turn; beyond, a gateway sends those of all its children at once. */
const SINGLY = 60_000;
const TOGETHER = 20;
/** Alerts still under way when a run ends. */
const STRAGGLE_MS = 3000;

interface Side {
  peer: Peer;
  pids: number[];
  load: BenchLoad;
  consoles: CalledProcess<ConsolesFunctions>;
  match(sent: Parameters<typeof matchBySeq>[0], arrivals: Arrival[], before: Map<string, number>): Latencies;
  settled(): Promise<unknown>;
}

interface Run {
  p50: number;
  p99: number;
  kept: boolean;
}

async function run({ say }: BenchContext, side: Side, rate: number, burst: number, measureMs = 3000): Promise<Run> {
  const { peer, pids, load, consoles } = side;
  const before = await consoles.call('counts', null);
  await consoles.call('take', null);
  const cpu = () => pids.reduce((sum, pid) => sum + (cpuSeconds(pid) ?? 0), 0);
  const [cpuBefore, began] = [cpu(), performance.now()];
  const measured = await load.measure({ rate, burst, alerts: true, warmUpMs: 1000, measureMs });
  const server = (100 * (cpu() - cpuBefore)) / ((performance.now() - began) / 1000);
  const arrivals: Arrival[] = [];
  let latencies: Latencies = [];
  for (const deadline = performance.now() + STRAGGLE_MS; performance.now() < deadline; await pause(100)) {
    arrivals.push(...(await consoles.call('take', null)));
    latencies = side.match(measured.alerts, arrivals, before);
    if (latencies.every(Number.isFinite)) break;
  }
  const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  const lost = latencies.filter((ms) => ms === Infinity).length;
  const kept = measured.sentPerSecond >= KEPT_PACE * rate && p99 < LIMIT_MS;
  say(
    `alerts ${String(rate).padStart(6)}/s${burst > 1 ? ` in bursts of ${burst}` : ''} ${peer.name}: ${measured.sentPerSecond.toFixed(0)}/s sent, ${latencies.length} alerts, p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms${lost > 0 ? `, ${lost} did not come in time` : ''}; PUBACK p50 ${measured.p50.toFixed(2)} p99 ${measured.p99.toFixed(2)} ms  CPU: generator ${(measured.cpu * 100).toFixed(0)} %, server ${server.toFixed(0)} %${kept ? '' : '  NOT KEPT'}`,
  );
  await side.settled();
  return { p50, p99, kept };
}

/** The highest rate of the ladder at which alerts still came in time, however the gateways sent; the climb ends at the first that fails. */
async function climb(context: BenchContext, side: Side): Promise<{ best: number; singly: Map<number, Run> }> {
  let best = 0;
  const singly = new Map<number, Run>();
  for (const rate of LADDER) {
    let kept = false;
    for (const burst of rate <= SINGLY ? [1, TOGETHER] : [TOGETHER, TOGETHER]) {
      const result = await run(context, side, rate, burst).catch((error: unknown) => {
        context.say(`alerts ${rate}/s ${side.peer.name}: ${reason(error)}`);
        return null;
      });
      if (result && burst === 1) singly.set(rate, result);
      kept ||= result?.kept ?? false;
      if (kept || !result) break;
    }
    if (!kept) break;
    best = rate;
  }
  return { best, singly };
}

async function ourSide({ peers }: BenchContext): Promise<Side> {
  const peer = await peers.ours();
  return {
    ...{ peer, pids: [peer.pid], consoles: peer.consoles, match: matchByCount, settled: peer.settled },
    load: await openLoad(peer.port, { gateways: peers.fleet.deep, inFlight: 64 }),
  };
}

async function nodeRedSide({ peers }: BenchContext): Promise<Side> {
  const peer = await peers.nodeRed();
  const consoles = startConsoles();
  await consoles.call('open', { url: peer.alertsUrl, token: null, count: 1, watch: [] });
  return {
    ...{ peer, pids: peer.pids, consoles, match: matchBySeq, settled: async () => undefined },
    load: await openLoad(peer.port, { gateways: peers.fleet.deep, inFlight: 64 }),
  };
}

const latencyFigures = (prefix: string, singly: Map<number, Run>): Figure[] =>
  [...singly].flatMap(([rate, { p50, p99 }]) => [
    figure(`${prefix}alert_p50_ms_at_${rate / 1000}k`, [p50]),
    figure(`${prefix}alert_p99_ms_at_${rate / 1000}k`, [p99]),
  ]);

/**
 * From the socket write of a reading that crosses a limit to the frame at a WebSocket console. One reading in 20 falls below the limit and
 * alerts, one in 20 goes back beyond the hysteresis, so every alert is a raise anew on both sides: a new alarm or a repeat that counts on
 * it with us (which are also stored), a message with Node-RED.
 */
export const alerts: FigureGroup = {
  keys: ['sustained_vs_node_red', 'alert_p50_vs_node_red', 'alert_p99_vs_node_red'],
  quick: [],
  async measure(context) {
    const figures: Figure[] = [];
    const ours = await ourSide(context);
    let rival: Side | null = null;
    try {
      rival = await nodeRedSide(context).catch((error: unknown) => {
        figures.push(...alerts.keys.map((key) => notMeasured(key, reason(error))));
        return null;
      });
      const compared: { ours: Run; rival: Run }[] = [];
      await run(context, ours, COMPARED, 1, WARM_UP_MS);
      if (rival) await run(context, rival, COMPARED, 1, WARM_UP_MS);
      for (let round = 0; rival && round < ROUNDS; round++)
        compared.push({ ours: await run(context, ours, COMPARED, 1), rival: await run(context, rival, COMPARED, 1) });
      const top = await climb(context, ours);
      figures.push(...latencyFigures('', top.singly), figure('sustained_readings_per_second', [top.best]));
      if (!rival) return figures;
      const other = await climb(context, rival);
      figures.push(
        ...latencyFigures('node_red_', other.singly),
        figure('node_red_sustained_readings_per_second', [other.best]),
        other.best > 0
          ? figure('sustained_vs_node_red', [top.best / other.best])
          : notMeasured('sustained_vs_node_red', 'Node-RED kept no rate of the ladder'),
        figure(
          'alert_p50_vs_node_red',
          compared.map((pair) => pair.ours.p50 / pair.rival.p50),
        ),
        figure(
          'alert_p99_vs_node_red',
          compared.map((pair) => pair.ours.p99 / pair.rival.p99),
        ),
      );
      return figures;
    } finally {
      ours.load.stop();
      rival?.load.stop();
      rival?.consoles.stop();
      // What it has queued would go on being worked at.
      await rival?.peer.stop();
    }
  },
};
