import { generate } from '../generate.ts';
import type { GeneratorResult } from '../generator.ts';
import type { Peer } from '../peers/peer.ts';
import { type BenchContext, type Figure, median } from './figure.ts';

/** Two load shapes: devices behind gateways that pipeline, and single devices that wait for each acknowledgement. */
const SHAPES = [
  {
    name: 'pipelined',
    connections: 50,
    inFlight: 64,
    targets: { aedes: { must: 1, aim: 2.5 }, mosquitto: { must: 1, aim: 3 } },
  },
  { name: 'single', connections: 500, inFlight: 1, targets: { aedes: { must: 0.9, aim: 1.3 }, mosquitto: null } },
] as const;

/** Acknowledged readings a second: our durable path beside Aedes and Mosquitto, which store nothing; interleaved, as ratios. */
export async function throughput({ quick, peers, say }: BenchContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  const all = [peers.ours, peers.aedes, ...(peers.mosquitto ? [peers.mosquitto] : [])];
  for (const shape of SHAPES) {
    const rates = new Map<Peer, number[]>(all.map((peer) => [peer, []]));
    for (let round = 0; round < (quick ? 1 : 3); round++)
      for (const peer of all) {
        const result: GeneratorResult = await generate({
          port: peer.port,
          devices: peer.devices,
          connections: shape.connections,
          inFlight: shape.inFlight,
          rate: null,
          warmUpMs: quick ? 700 : 1500,
          measureMs: quick ? 2000 : 4000,
        });
        rates.get(peer)!.push(result.acknowledgedPerSecond);
        say(
          `${shape.name.padEnd(9)} ${peer.name.padEnd(12)} ${result.acknowledgedPerSecond.toFixed(0).padStart(8)}/s  p50 ${result.p50.toFixed(2)}  p99 ${result.p99.toFixed(2)} ms  generator ${(result.cpu * 100).toFixed(0)} % CPU`,
        );
      }
    const ratios = (peer: Peer) => rates.get(peers.ours)!.map((rate, round) => rate / rates.get(peer)![round]!);
    const add = (key: string, peer: Peer, target: { must: number; aim: number } | null) =>
      figures.push({
        key,
        what: `our durable path ÷ ${peer.name}, ${shape.connections} × ${shape.inFlight}`,
        unit: '×',
        value: median(ratios(peer)),
        samples: ratios(peer),
        ...(target ? { target: { ...target, atLeast: true } } : {}),
      });
    figures.push({
      key: `readings_per_second_${shape.name}`,
      what: `acknowledged readings, ${shape.connections} × ${shape.inFlight}`,
      unit: '/s',
      value: median(rates.get(peers.ours)!),
      samples: rates.get(peers.ours)!,
    });
    add(`durable_vs_aedes_${shape.name}`, peers.aedes, shape.targets.aedes);
    if (peers.mosquitto) add(`durable_vs_mosquitto_${shape.name}`, peers.mosquitto, shape.targets.mosquitto);
    else
      figures.push({
        key: `durable_vs_mosquitto_${shape.name}`,
        what: 'our durable path ÷ Mosquitto',
        unit: '×',
        value: null,
        samples: [],
        why: 'mosquitto is not installed',
      });
  }
  return figures;
}

/** PUBACK latency at a paced 20,000 readings/s. */
export async function pubackLatency({ quick, peers, say }: BenchContext): Promise<Figure[]> {
  const samples: number[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const result = await generate({
      port: peers.ours.port,
      devices: peers.ours.devices,
      connections: 500,
      inFlight: 64,
      rate: 20_000,
      warmUpMs: quick ? 1000 : 1500,
      measureMs: quick ? 3000 : 4000,
    });
    samples.push(result.p99);
    say(
      `paced     20,000/s: ${result.acknowledgedPerSecond.toFixed(0)}/s acknowledged, p50 ${result.p50.toFixed(2)}, p99 ${result.p99.toFixed(2)} ms, generator ${(result.cpu * 100).toFixed(0)} % CPU`,
    );
  }
  return [
    {
      key: 'puback_p99_ms_at_20k',
      what: 'PUBACK p99 at 20,000 readings/s, durable',
      unit: 'ms',
      value: median(samples),
      samples,
      target: { must: 10, aim: 5, atLeast: false },
    },
  ];
}
