import { FireError } from '@smart-fire/core';
import { systemClock } from '@smart-fire/core/node';
import { z } from 'zod';
import { commandOptions } from './command-options.ts';
import { credentialsExist, readCredentials, writeCredentials } from './credentials.ts';
import { createCounty } from './demo-county.ts';
import { createFleet, type FleetDevice } from './fleet.ts';
import { provisionByApi } from './provision.ts';
import { readScenario, scenarioNames } from './scenario.ts';
import { type Io, processIo, showProgress, untilEnded } from './screen.ts';

const share = z.coerce.number().min(0).max(1).default(0);

export const simulateOptions = commandOptions(
  z.object({
    url: z
      .url({ protocol: /^(mqtts?|wss?)$/ })
      .default('mqtt://127.0.0.1:1883')
      .describe('broker: mqtt, mqtts, ws or wss URL'),
    credentials: z
      .string()
      .default('simulated-devices.json')
      .describe('JSON file of devices with their secrets; written (mode 0600) when devices are created'),
    api: z.url().optional().describe('create the devices by the HTTP API of this platform first'),
    token: z.string().optional().describe('API token for --api; better given as SMARTFIRE_TOKEN'),
    devices: z.coerce.number().int().min(1).max(10_000).default(100).describe('size of the fleet'),
    prefix: z
      .string()
      .regex(/^[a-z0-9]{1,16}$/)
      .default('sim')
      .describe('beginning of the ids of what is created'),
    connections: z
      .enum(['gateways', 'each'])
      .default('gateways')
      .describe('gateways (they carry their children) or each'),
    scenario: z
      .string()
      .optional()
      .describe(`scenarios by name or file, separated by commas: ${scenarioNames().join(', ')}`),
    speed: z.coerce.number().positive().max(100_000).default(1).describe('simulated seconds per second'),
    drop: share.describe('fraction of readings sent by QoS 0 and lost'),
    redeliver: share.describe('fraction of readings delivered twice'),
    persistent: z.boolean().default(false).describe('clean session false'),
    history: z.coerce.number().min(0).max(600).default(0).describe('hours of past readings to send first'),
    seed: z.coerce
      .number()
      .int()
      .min(0)
      .max(2 ** 31)
      .default(1)
      .describe('of all randomness'),
    seconds: z.coerce.number().positive().optional().describe('end by itself after so long'),
  }),
  {
    url: 'url',
    credentials: 'file',
    api: 'url',
    token: 'token',
    devices: 'number',
    prefix: 'text',
    connections: 'how',
    scenario: 'list',
    speed: 'factor',
    drop: 'fraction',
    redeliver: 'fraction',
    persistent: '',
    history: 'hours',
    seed: 'number',
    seconds: 'number',
  },
);

export type SimulateOptions = z.output<typeof simulateOptions.schema>;

/** `smart-fire simulate`: until Ctrl-C or --seconds, then a summary. */
export function simulate(raw: unknown): Promise<void> {
  return runSimulation(simulateOptions.parse(raw), processIo(systemClock));
}

export async function runSimulation(options: SimulateOptions, io: Io): Promise<void> {
  const scenarios = (options.scenario ?? '')
    .split(',')
    .flatMap((name) => (name.trim() ? [readScenario(name.trim())] : []));
  const devices = await findDevices(options, io);
  const fleet = createFleet({
    ...options,
    devices,
    scenarios,
    historyHours: options.history,
    clock: io.clock,
    say: io.line,
  });
  let before = 0;
  const progress = showProgress(io, (seconds) => {
    const figures = fleet.figures();
    const rate = ((figures.acknowledged - before) / seconds).toFixed(1);
    before = figures.acknowledged;
    return `${figures.connected}/${figures.connections} connected  ${figures.devices} devices  ${rate} acknowledged/s  ${figures.sent} sent  ${figures.events} events  ${figures.lost} lost  ${figures.reconnects} reconnects`;
  });
  try {
    await fleet.start();
    await untilEnded(io, options.seconds);
  } finally {
    progress.cancel();
    await fleet.stop();
  }
  const { sent, acknowledged, events, lost, redelivered, failed, reconnects } = fleet.figures();
  io.line(
    `${devices.length} devices: ${sent} messages sent, ${acknowledged} acknowledged, ${failed} unanswered, of these ${events} events; ` +
      `${lost} lost and ${redelivered} delivered twice on purpose, ${reconnects} reconnects`,
  );
}

/** The fleet's devices: from the credentials file, or made over the API and kept there. */
async function findDevices(options: SimulateOptions, io: Io): Promise<FleetDevice[]> {
  const known = credentialsExist(options.credentials) ? readCredentials(options.credentials) : [];
  if (options.api === undefined) {
    if (known.length === 0)
      throw new FireError('FIRE_CONFIG_INVALID', {
        problems: `${options.credentials}: no devices there. Give a credentials file, or --api URL with SMARTFIRE_TOKEN to create devices`,
      });
    return withTheirGateways(known, options.devices);
  }
  const token = options.token ?? io.environment.SMARTFIRE_TOKEN;
  if (!token)
    throw new FireError('FIRE_CONFIG_INVALID', { problems: '--api needs an API token in SMARTFIRE_TOKEN or --token' });
  const { devices, error } = await provisionByApi({
    api: options.api,
    token,
    county: createCounty(options.devices, options.prefix),
    known,
    onProgress: (done) => {
      if (done % 100 === 0) io.progress(`${done}/${options.devices} devices created`);
    },
    signal: io.signal,
  });
  const made = new Set(devices.map((device) => device.id));
  writeCredentials(options.credentials, [...known.filter((device) => !made.has(device.id)), ...devices]);
  if (error) throw error;
  return devices;
}

/** The first `count` devices of a file, less those whose gateway is not in the file with them. */
function withTheirGateways(devices: readonly FleetDevice[], count: number): FleetDevice[] {
  const chosen = devices.slice(0, count);
  const ids = new Set(chosen.map((device) => device.id));
  return chosen.map((device) => (device.gateway && !ids.has(device.gateway) ? { ...device, gateway: null } : device));
}
