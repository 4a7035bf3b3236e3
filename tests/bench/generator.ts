// The load generator, a process of its own so that its work is not mistaken for the server's.
import { createLoad, type LoadReport } from '@smart-fire/simulators';

export interface GeneratorOrder {
  port: number;
  devices: { id: string; secret: string }[];
  connections: number;
  inFlight: number;
  /** Messages a second; null = as fast as acknowledgements come. */
  rate: number | null;
  warmUpMs: number;
  measureMs: number;
}

export interface GeneratorResult {
  acknowledgedPerSecond: number;
  p50: number;
  p99: number;
  /** Share of one core the generator itself used. */
  cpu: number;
}

const later = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function run({
  port,
  devices,
  connections,
  inFlight,
  rate,
  warmUpMs,
  measureMs,
}: GeneratorOrder): Promise<GeneratorResult> {
  const options = { host: '127.0.0.1', port, devices, connections, inFlight, rate };
  const warmUp = createLoad(options);
  await warmUp.start();
  await later(warmUpMs);
  await warmUp.stop();
  const load = createLoad(options);
  await load.start();
  await later(measureMs);
  const { acknowledged, seconds, latency, cpu }: LoadReport = load.report();
  await load.stop();
  return { acknowledgedPerSecond: acknowledged / seconds, p50: latency.p50, p99: latency.p99, cpu };
}

process.once('message', (order: GeneratorOrder) => {
  run(order).then(
    (result) => process.send!(result, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
