import { openLoad } from '../load/load.ts';
import { type FigureGroup, figure } from './figure.ts';

const RATES = [5000, 20_000, 40_000, 60_000];
const STARRED = 20_000;

/** PUBACK latency of the durable path at paced rates, 500 gateways that each send a reading when it is its turn. */
export const puback: FigureGroup = {
  keys: ['puback_p99_ms_at_20k'],
  quick: ['puback_p99_ms_at_20k'],
  async measure({ quick, peers, say }) {
    const ours = await peers.ours();
    const load = await openLoad(ours.port, { gateways: peers.fleet.deep, inFlight: 64 });
    const p99s = new Map<number, number[]>();
    try {
      for (let round = 0; round < (quick ? 1 : 3); round++)
        for (const rate of quick ? [STARRED] : RATES) {
          // The warm-up gives every device its first reading, which is dearer than all later ones.
          const { sentPerSecond, p50, p99, cpu } = await load.measure({ rate, warmUpMs: 3000, measureMs: 4000 });
          p99s.set(rate, [...(p99s.get(rate) ?? []), p99]);
          say(
            `PUBACK at ${rate}/s: ${sentPerSecond.toFixed(0)}/s sent, p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms  CPU: generator ${(cpu * 100).toFixed(0)} %`,
          );
          await ours.settled();
        }
    } finally {
      load.stop();
    }
    return [...p99s].map(([rate, samples]) => figure(`puback_p99_ms_at_${rate / 1000}k`, samples));
  },
};
