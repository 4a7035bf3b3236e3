import { type BenchLoad, openLoad } from '../load/load.ts';
import { type FigureGroup, figure } from './figure.ts';

/** Short ones, close to each other: a machine's speed changes within seconds. */
const ROUNDS = 8;

/** What TLS costs a device that waits for each acknowledgement: the same path over both, interleaved. */
export const tls: FigureGroup = {
  keys: ['tls_vs_tcp'],
  quick: [],
  async measure({ peers, say }) {
    const ours = await peers.ours();
    const shape = { gateways: peers.fleet.deep, inFlight: 1 };
    const loads: Record<'tcp' | 'tls', { load: BenchLoad; rates: number[] }> = {
      tcp: { load: await openLoad(ours.port, shape), rates: [] },
      tls: { load: await openLoad(ours.mqtts, { ...shape, tls: true }), rates: [] },
    };
    try {
      for (let round = 0; round < ROUNDS; round++)
        for (const [name, { load, rates }] of Object.entries(loads)) {
          const { perSecond, p50, p99, cpu } = await load.measure({ measureMs: 1200, warmUpMs: 500 });
          rates.push(perSecond);
          await ours.settled();
          say(
            `500 × 1 over ${name.toUpperCase()}: ${perSecond.toFixed(0)}/s  p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms  CPU: generator ${(cpu * 100).toFixed(0)} %`,
          );
        }
    } finally {
      for (const { load } of Object.values(loads)) load.stop();
    }
    return [
      figure(
        'tls_vs_tcp',
        loads.tls.rates.map((rate, round) => rate / loads.tcp.rates[round]!),
      ),
    ];
  },
};
