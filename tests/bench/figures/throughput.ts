import type { Fleet } from '../fleet.ts';
import { type BenchLoad, type LoadShape, openLoad } from '../load/load.ts';
import { cpuSeconds, type Peer } from '../peers/peer.ts';
import { type BenchContext, type Figure, type FigureGroup, figure, notMeasured, reason } from './figure.ts';

interface Shape {
  name: string;
  /** Of the figures: `durable_vs_aedes_{key}`. */
  key: string;
  load(fleet: Fleet): LoadShape;
  quick: { mosquitto: boolean } | null;
}

const SHAPES: Shape[] = [
  {
    ...{ name: '50 × 64, 10,000 devices', key: 'pipelined', quick: { mosquitto: true } },
    load: ({ wide }) => ({ gateways: wide, inFlight: 64 }),
  },
  {
    ...{ name: '500 × 1, 10,000 devices', key: 'single', quick: { mosquitto: false } },
    load: ({ deep }) => ({ gateways: deep, inFlight: 1 }),
  },
  {
    ...{ name: '50 × 64, 1,000 devices', key: 'pipelined_1000', quick: null },
    load: ({ deep }) => ({ gateways: deep.slice(0, 50), inFlight: 64 }),
  },
  {
    ...{ name: '500 × 1, 1,000 devices', key: 'single_1000', quick: null },
    load: ({ deep }) => ({
      gateways: deep.map((gateway) => ({ ...gateway, children: gateway.children.slice(0, 2) })),
      inFlight: 1,
    }),
  },
];

interface Rival {
  peer: Peer;
  load: BenchLoad;
  rates: number[];
}

async function oneRound(
  { quick, say, peers }: BenchContext,
  shape: Shape,
  { peer, load, rates }: Rival,
): Promise<void> {
  const [warmUpMs, measureMs] = quick ? [300, 1100] : [1000, 2500];
  const [before, began] = [cpuSeconds(peer.pid), performance.now()];
  const { perSecond, p50, p99, cpu, payloadBytes } = await load.measure({ warmUpMs, measureMs });
  const [after, seconds] = [cpuSeconds(peer.pid), (performance.now() - began) / 1000];
  rates.push(perSecond);
  const server = before === null ? '' : `, server ${((100 * (after! - before)) / seconds).toFixed(0)} %`;
  const ours = await peers.ours();
  const left = peer.pid === ours.pid ? await ours.settled() : null;
  say(
    `${shape.name.padEnd(24)} ${peer.name.padEnd(12)} ${perSecond.toFixed(0).padStart(8)}/s  p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms  payload ${payloadBytes} B  CPU: generator ${(cpu * 100).toFixed(0)} %${server}${left ? `  ${left} readings were still to be stored` : ''}`,
  );
}

async function measureShape(context: BenchContext, shape: Shape): Promise<Figure[]> {
  const { peers, quick } = context;
  const open = async (starting: Promise<Peer>): Promise<Rival> => {
    const peer = await starting;
    return { peer, load: await openLoad(peer.port, shape.load(peers.fleet)), rates: [] };
  };
  const ours = await open(peers.ours());
  const others: Record<string, Rival | string> = { aedes: await open(peers.aedes()).catch(reason) };
  if (!quick || shape.quick?.mosquitto) others.mosquitto = await open(peers.mosquitto()).catch(reason);
  const rivals = [ours, ...Object.values(others).filter((other) => typeof other !== 'string')];
  try {
    // The first messages of 10,000 devices make 10,000 series; no round pays for that.
    for (const { load } of rivals) await load.measure({ warmUpMs: 0, measureMs: quick ? 500 : 1500 });
    for (let round = 0; round < 3; round++) for (const rival of rivals) await oneRound(context, shape, rival);
  } finally {
    for (const { load } of rivals) load.stop();
  }
  return [
    figure(`readings_per_second_${shape.key}`, ours.rates),
    ...Object.entries(others).map(([name, rival]) => {
      const key = `durable_vs_${name}_${shape.key}`;
      if (typeof rival === 'string') return notMeasured(key, rival);
      return figure(
        key,
        ours.rates.map((rate, round) => rate / rival.rates[round]!),
      );
    }),
  ];
}

/** Acknowledged readings a second: our durable path beside Aedes and Mosquitto, which store nothing; the same stream to each, interleaved. */
export const throughput: FigureGroup = {
  keys: ['durable_vs_aedes_pipelined', 'durable_vs_aedes_single', 'durable_vs_mosquitto_pipelined'],
  quick: ['durable_vs_aedes_pipelined', 'durable_vs_aedes_single', 'durable_vs_mosquitto_pipelined'],
  async measure(context) {
    const { quick, wants } = context;
    const keys = throughput.keys;
    // A shape that promises nothing is measured when everything is.
    const asked = ({ key }: Shape) => keys.every(wants) || keys.some((name) => wants(name) && name.endsWith(`_${key}`));
    const figures: Figure[] = [];
    for (const shape of SHAPES)
      if (asked(shape) && (!quick || shape.quick))
        figures.push(
          ...(await measureShape(context, shape).catch((error: unknown) =>
            keys.filter((key) => key.endsWith(`_${shape.key}`)).map((key) => notMeasured(key, reason(error))),
          )),
        );
    return figures;
  },
};
