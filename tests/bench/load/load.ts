import type { FleetGateway } from '../fleet.ts';
import { startProcess } from '../process-call.ts';
import type { GeneratorFunctions, Measured, MeasureOrder } from './generator.ts';

export type { Measured, SentAlert } from './generator.ts';

/** How devices are spread over connections. */
export interface LoadShape {
  /** A connection each. */
  gateways: readonly FleetGateway[];
  inFlight: number;
  tls?: boolean;
}

/** A generator in its own process, its connections open: several measurements may follow one another on them. */
export interface BenchLoad {
  measure(order: Partial<MeasureOrder> & { measureMs: number }): Promise<Measured>;
  /** Every device declares a fire; resolves with how many did when all are acknowledged. */
  fires(): Promise<number>;
  stop(): void;
}

export async function openLoad(port: number, { gateways, inFlight, tls = false }: LoadShape): Promise<BenchLoad> {
  const generator = startProcess<GeneratorFunctions>(new URL('./generator.ts', import.meta.url));
  const connections = gateways.map(({ id, secret, children }) => ({ login: id, secret, devices: children }));
  try {
    await generator.call('open', { port, tls, inFlight, connections });
  } catch (error) {
    generator.stop();
    throw error;
  }
  return {
    measure: (order) => generator.call('measure', { rate: null, burst: 1, alerts: false, warmUpMs: 1000, ...order }),
    fires: () => generator.call('fires', null),
    stop: generator.stop,
  };
}
