import { setTimeout as sleep } from 'node:timers/promises';
import { FireError } from '@smart-fire/core';
import { z } from 'zod';
import type { County } from './demo-county.ts';
import type { FleetDevice } from './fleet.ts';

export interface ProvisionOptions {
  /** Base of the platform, such as http://127.0.0.1:8080. */
  api: string;
  token: string;
  county: County;
  /** Devices whose secrets are known from an earlier run: they are not created again. */
  known: readonly FleetDevice[];
  /** Called after every step with how many devices exist. */
  onProgress: (done: number) => void;
  signal: AbortSignal;
}

const created = z.object({ secret: z.string().min(1) });
const PARALLEL = 8;

/**
 * Create the county's areas, sites, zones and devices over the HTTP API. What exists already stays as it is.
 * Resolves with the devices whose secrets are known; when it fails midway, `error` says why and the secrets so far are there all the same.
 */
export async function provisionByApi(
  options: ProvisionOptions,
): Promise<{ devices: FleetDevice[]; error: Error | null }> {
  const { county } = options;
  const known = new Map(options.known.map((device) => [device.id, device]));
  const devices: FleetDevice[] = [];

  async function post(resource: string, body: object): Promise<unknown> {
    const response = await fetch(new URL(`/api/v1/${resource}`, options.api), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${options.token}`,
        'accept-language': 'en',
      },
      body: JSON.stringify(body),
      signal: options.signal,
    });
    const answer = await response.text();
    if (response.status === 429) {
      // The platform guards itself; it says how long to wait.
      const seconds = Number(response.headers.get('retry-after') ?? 1) || 1;
      await sleep(Math.min(60, seconds) * 1000, undefined, { signal: options.signal });
      return post(resource, body);
    }
    if (response.status === 409) return null;
    if (response.ok) return answer === '' ? null : JSON.parse(answer);
    const problem = z.object({ detail: z.string() }).safeParse(safeJson(answer));
    const reason = problem.success ? problem.data.detail : answer.slice(0, 200);
    throw new FireError('FIRE_CONFIG_INVALID', {
      problems: `POST ${resource} ${(body as { id?: string }).id ?? ''}: ${response.status} ${reason}`,
    });
  }

  async function createDevice(device: County['devices'][number]): Promise<void> {
    const { id, kind, zone, gateway } = device;
    const before = known.get(id);
    if (before) devices.push(before);
    else {
      const parsed = created.safeParse(await post('devices', device));
      if (!parsed.success)
        throw new FireError('FIRE_CONFIG_INVALID', {
          problems: `device ${id} exists but its secret is not in the credentials file; give the file of the run that made it, or another --prefix`,
        });
      devices.push({ id, kind, zone, gateway, secret: parsed.data.secret });
    }
    options.onProgress(devices.length);
  }

  try {
    // Parents before children: one after another.
    for (const area of county.areas) await post('areas', area);
    await inParallel(county.sites, (site) => post('sites', site));
    await inParallel(county.zones, (zone) => post('zones', zone));
    const gateways = county.devices.filter((device) => device.gateway === null);
    await inParallel(gateways, createDevice);
    await inParallel(
      county.devices.filter((device) => device.gateway !== null),
      createDevice,
    );
    return { devices, error: null };
  } catch (error) {
    return { devices, error: error as Error };
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      try {
        await work(items[next++]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: PARALLEL }, worker));
  // Every worker has come to rest, so no secret of a device made meanwhile is lost.
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  if (refused) throw refused.reason;
}
