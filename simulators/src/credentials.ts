import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { FireError } from '@smart-fire/core';
import { z } from 'zod';
import type { FleetDevice } from './fleet.ts';

const schema = z.array(
  z.object({
    id: z.string().min(1),
    kind: z.string().min(1).default('smoke-detector'),
    zone: z.string().nullable().default(null),
    gateway: z.string().nullable().default(null),
    secret: z.string().min(1).nullable(),
  }),
);

/** Devices and their secrets from a JSON file `[{"id","secret","kind","zone","gateway"}]`. */
export function readCredentials(file: string): FleetDevice[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new FireError('FIRE_CONFIG_INVALID', { problems: `${file}: ${(error as Error).message}` }, error);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new FireError('FIRE_CONFIG_INVALID', { problems: `${file}: ${z.prettifyError(parsed.error)}` });
}

export function credentialsExist(file: string): boolean {
  return existsSync(file);
}

/** Secrets are for their owner alone: mode 0600 from the first byte, whole or not at all. */
export function writeCredentials(file: string, devices: readonly FleetDevice[]): void {
  const draft = `${file}.part`;
  writeFileSync(draft, `${JSON.stringify(devices, null, 1)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}
