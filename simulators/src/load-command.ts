import { FireError } from '@smart-fire/core';
import { systemClock } from '@smart-fire/core/node';
import { z } from 'zod';
import { commandOptions } from './command-options.ts';
import { readCredentials } from './credentials.ts';
import { createLoad } from './load.ts';
import { type Io, processIo, showProgress, untilEnded } from './screen.ts';

export const loadOptions = commandOptions(
  z.object({
    host: z.string().default('127.0.0.1').describe('host of the broker'),
    port: z.coerce.number().int().min(1).max(65_535).default(1883).describe('TCP port of the broker'),
    credentials: z.string().describe('JSON file of devices with their secrets, as `simulate` keeps it'),
    connections: z.coerce.number().int().min(1).max(10_000).default(50).describe('sockets'),
    inFlight: z.coerce.number().int().min(1).max(65_535).default(64).describe('unacknowledged messages per socket'),
    rate: z.coerce
      .number()
      .positive()
      .optional()
      .describe('messages per second in all; as fast as acknowledged when left out'),
    seconds: z.coerce.number().positive().optional().describe('end by itself after so long'),
  }),
  {
    host: 'host',
    port: 'number',
    credentials: 'file',
    connections: 'number',
    inFlight: 'number',
    rate: 'number',
    seconds: 'number',
  },
);

/** `smart-fire load`: until Ctrl-C or --seconds, then a summary. */
export function load(raw: unknown): Promise<void> {
  return runLoad(loadOptions.parse(raw), processIo(systemClock));
}

export async function runLoad(options: z.output<typeof loadOptions.schema>, io: Io): Promise<void> {
  const devices = readCredentials(options.credentials).flatMap(({ id, secret }) => (secret ? [{ id, secret }] : []));
  if (devices.length === 0)
    throw new FireError('FIRE_CONFIG_INVALID', { problems: `${options.credentials}: no device with a secret` });
  const generator = createLoad({ ...options, devices, rate: options.rate ?? null });
  const ended = untilEnded(io, options.seconds);
  let before = 0;
  const progress = showProgress(io, (seconds) => {
    const { acknowledged, inFlight, connected, latency, cpu, trouble } = generator.report();
    const rate = Math.round((acknowledged - before) / seconds);
    before = acknowledged;
    const trailer = trouble && connected < options.connections ? `  ${trouble}` : '';
    return `${connected}/${options.connections} connected  ${rate} acknowledged/s  ${inFlight} in flight  p99 ${latency.p99.toFixed(1)} ms  generator ${(100 * cpu).toFixed(0)} % CPU${trailer}`;
  });
  await Promise.race([generator.start(), ended]);
  await ended;
  progress.cancel();
  const { sent, resent, acknowledged, inFlight, reconnects, seconds, cpu, latency } = await generator.stop();
  io.line(
    `${sent} sent, ${resent} sent again, ${acknowledged} acknowledged, ${inFlight} unanswered, ${reconnects} reconnects in ${seconds.toFixed(1)} s: ` +
      `${Math.round(acknowledged / seconds)}/s, p50 ${latency.p50.toFixed(2)} ms, p99 ${latency.p99.toFixed(2)} ms, max ${latency.max.toFixed(1)} ms, generator ${(100 * cpu).toFixed(0)} % CPU`,
  );
}
