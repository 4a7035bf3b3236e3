import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HealthItem } from '@smart-fire/core';
import { Api } from '../../harness/api.ts';
import { SmartFireServer } from '../../harness/server.ts';
import { until } from '../../harness/until.ts';
import type { FleetGateway } from '../fleet.ts';
import { onlyTheTen } from './only-the-ten.ts';
import type { Peer } from './peer.ts';
import { PASSWORD, provisionCentre } from './provision-centre.ts';

const DEVICE_RATE = 1_000_000;
const PROBE = new URL('../probe/loop-delay.ts', import.meta.url);

export interface SmartFirePeer extends Peer {
  api: Api;
  /** For consoles. */
  liveUrl: string;
  token: string;
  mqtts: number;
  /** What is in force, for people. */
  settings: string[];
  /** Of every device, by id. */
  secrets: Map<string, string>;
  /** Longest time (ms) that the server's event loop did nothing else, since the last call. */
  loopBlockedMs(): Promise<number>;
  /** Resolves when the readings writer has nothing left to do, so that it is not still working while others are measured. Returns what was left at first. */
  settled(): Promise<number>;
}

/** The whole platform as users run it: validation, rules, alarms, live hub and durable stores; rate limits on, raised by configuration. */
export async function smartFire(
  gateways: readonly FleetGateway[],
  env: Record<string, string> = {},
): Promise<SmartFirePeer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'smart-fire-bench-'));
  const secrets = await provisionCentre(dataDir, gateways);
  const probed = join(dataDir, 'loop-delay.json');
  const server = await SmartFireServer.launch({
    ...{ DATA_DIR: dataDir, MQTT_DEVICE_RATE: String(DEVICE_RATE), ...env },
    ...{
      NODE_OPTIONS: `${process.env.SERVER_NODE_OPTIONS ?? ''} --import=${fileURLToPath(PROBE)}`,
      LOOP_DELAY_FILE: probed,
    },
  });
  const api = await new Api(server.url).logIn('bench', PASSWORD);
  const { secret: token } = await api.post<{ secret: string }>('tokens', { name: 'bench' });
  const { ten, also } = await onlyTheTen(api);
  let asked = 0;

  async function lag(): Promise<number> {
    const { items } = await api.get<{ items: HealthItem[] }>('health');
    return items.find(({ part }) => part === 'readings')?.figures.lagEntries ?? 0;
  }

  return {
    name: 'smart-fire',
    port: server.ports.mqtt,
    mqtts: server.ports.mqtts,
    pid: server.pid!,
    api,
    liveUrl: `${server.url.replace('http', 'ws')}/api/v1/live`,
    token,
    secrets,
    settings: [
      `${secrets.size} devices; rate limit of each raised to MQTT_DEVICE_RATE=${DEVICE_RATE}/s`,
      `ten rules: ${ten.join(', ')}`,
      ...(also.length > 0 ? [`and presets that could not be switched off: ${also.join(', ')}`] : []),
    ],
    async loopBlockedMs() {
      asked++;
      process.kill(server.pid!, 'SIGUSR2');
      let found = { count: 0, maxMs: 0 };
      await until('the event loop tells how long it was blocked', () => {
        found = JSON.parse(readFileSync(probed, 'utf8')) as typeof found;
        return found.count === asked;
      });
      return found.maxMs;
    },
    async settled() {
      const first = await lag();
      await until('the readings writer has caught up', async () => (await lag()) === 0, 120_000);
      const { items } = await api.get<{ items: { code: string }[] }>('dead-letters?limit=1');
      if (items.length > 0) throw new Error(`readings were acknowledged and refused: ${items[0]!.code}`);
      return first;
    },
    async stop() {
      await server.kill('SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
