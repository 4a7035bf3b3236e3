import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { FireError } from '../errors.ts';

const port = (name: string, fallback: number) =>
  z.coerce.number().int().min(0).max(65535).default(fallback).describe(`${name} port; 0 = any free port`);
const bytes = (fallback: number) => z.coerce.number().int().positive().default(fallback);
const url = (schemes: string[], fallback: string) =>
  z
    .string()
    .refine((value) => schemes.some((scheme) => value.startsWith(`${scheme}:`)), {
      error: `must start with ${schemes.map((scheme) => `${scheme}:`).join(' or ')}`,
    })
    .default(fallback);

/** Every setting of the platform, by its environment name. */
export const configSchema = z.strictObject({
  DATA_DIR: z.string().min(1).default('./data').describe('Where everything durable lives'),
  HOST: z.string().default('127.0.0.1').describe('Address all ports bind to'),
  WEB_PORT: port('Web, API, live WebSocket and MQTT over WebSocket', 8080),
  MQTT_PORT: port('MQTT over TCP', 1883),
  MQTTS_PORT: port('MQTT over TLS', 8883),
  PUBLIC_URL: z.url().optional().describe('Address people reach the console under, for links and the Origin check'),
  STATE_URL: url(['sqlite'], 'sqlite:state.db').describe('sqlite:FILE, relative to DATA_DIR'),
  READINGS_URL: url(['sqlite', 'influx'], 'sqlite:readings.db').describe(
    'sqlite:FILE, or influx://[user:password@|token@]host:port/database[?version=1|2&org=ORG&tls=1]',
  ),
  JOURNAL_URL: url(['sqlite'], 'sqlite:journal.db').describe('sqlite:FILE, relative to DATA_DIR'),
  JOURNAL_MAX: bytes(20 * 1024 ** 3).describe('Cap of the journal in bytes; the last 5 % are kept for events'),
  READINGS_KEEP_DAYS: z.coerce
    .number()
    .int()
    .min(31, 'must be at least 31: readings that come up to 30 days late are taken')
    .default(400)
    .describe('Readings older than this are dropped and leave hourly summaries (GB 50440 asks for one year)'),
  TRENDS_KEEP_DAYS: z.coerce
    .number()
    .int()
    .positive()
    .default(3650)
    .describe('Hourly summaries older than this are dropped; InfluxDB has none'),
  TIME_ZONE: z
    .string()
    .default('Asia/Shanghai')
    .refine((zone) => {
      try {
        return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
      } catch {
        return false;
      }
    }, 'is no IANA time zone such as Asia/Shanghai')
    .describe('Days, schedules and reports'),
  TLS_CERT: z.string().optional().describe('PEM file; serves web and MQTTS'),
  TLS_KEY: z.string().optional().describe('PEM file'),
  TLS_CLIENT_CA: z
    .string()
    .optional()
    .describe('PEM file; devices may log in with certificates signed by it (CN = device id)'),
  MQTT_MAX_CONNECTIONS: z.coerce.number().int().positive().default(20_000),
  MQTT_MAX_PACKET: bytes(256 * 1024),
  MQTT_DEVICE_RATE: z.coerce
    .number()
    .positive()
    .default(50)
    .describe('Messages per second a device may publish (a gateway: per child too); events are exempt'),
  MQTT_FAST_PATH: z
    .enum(['on', 'off'])
    .default('on')
    .transform((word) => word === 'on')
    .describe(
      'Telemetry goes from the socket straight to the journal; off: all of it through Aedes, slower and otherwise the same',
    ),
  MQTT_QUEUE_MAX: z.coerce
    .number()
    .int()
    .positive()
    .default(1000)
    .describe('Messages kept for an offline persistent session'),
  MQTT_SESSION_DAYS: z.coerce.number().positive().default(7).describe('A persistent session is forgotten after this'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export type Config = z.infer<typeof configSchema>;

/**
 * Configuration from the environment over an optional file (`SMARTFIRE_CONFIG`, lines of NAME=value), all problems reported at once.
 * Variables that are not ours are ignored in the environment but refused in the file.
 */
export function loadConfig(environment: Record<string, string | undefined>): Config {
  const names = Object.keys(configSchema.shape);
  const fromFile = environment.SMARTFIRE_CONFIG ? readConfigFile(environment.SMARTFIRE_CONFIG) : {};
  const fromEnvironment = Object.fromEntries(
    names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])),
  );
  const parsed = configSchema.safeParse({ ...fromFile, ...fromEnvironment });
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) =>
        issue.code === 'unrecognized_keys'
          ? `${issue.keys.join(', ')}: no such setting (in ${environment.SMARTFIRE_CONFIG})`
          : `${issue.path.join('.')}: ${issue.message}`,
      );
  if (parsed.success) {
    if (Boolean(parsed.data.TLS_CERT) !== Boolean(parsed.data.TLS_KEY))
      problems.push('TLS_CERT, TLS_KEY: give both or neither');
    for (const name of ['TLS_CERT', 'TLS_KEY', 'TLS_CLIENT_CA'] as const) {
      const file = parsed.data[name];
      if (file) {
        try {
          readFileSync(file);
        } catch (error) {
          problems.push(`${name}: ${file} cannot be read (${(error as Error).message})`);
        }
      }
    }
  }
  if (problems.length > 0 || !parsed.success)
    throw new FireError('FIRE_CONFIG_INVALID', { problems: problems.join('\n') });
  return parsed.data;
}

function readConfigFile(file: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new FireError('FIRE_CONFIG_INVALID', { problems: `SMARTFIRE_CONFIG: ${(error as Error).message}` }, error);
  }
  const values: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) values[match[1]!] = match[2]!;
    else if (line.trim() && !line.trim().startsWith('#'))
      throw new FireError('FIRE_CONFIG_INVALID', { problems: `${file}: "${line.trim()}" is no NAME=value line` });
  }
  return values;
}
