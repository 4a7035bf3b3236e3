import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@smart-fire/core/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadOptions, runLoad } from './load-command.ts';
import type { Io } from './screen.ts';
import { runSimulation, simulateOptions } from './simulate.ts';
import { type PlainBroker, startPlainBroker } from './testing/plain-broker.ts';

let folder: string;
let broker: PlainBroker;
let api: Server;
const created = new Map<string, string>();
let refuseAfter = Number.POSITIVE_INFINITY;
let busy = 0;

async function bodyOf(request: IncomingMessage): Promise<{ id: string }> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

/** The few answers of the platform that provisioning depends on. */
function startApi(): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = async () => {
      const { id } = await bodyOf(request);
      const resource = request.url!.replace('/api/v1/', '');
      const say = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
      if (request.headers.authorization !== 'Bearer good') return say(401, { detail: 'Log in first.' });
      if (busy > 0) {
        busy -= 1;
        return response.writeHead(429, { 'retry-after': '1' }).end();
      }
      if (created.size >= refuseAfter) return say(503, { detail: 'The state store is away.' });
      const key = `${resource}/${id}`;
      if (created.has(key)) return say(409, { detail: 'exists' });
      created.set(key, `secret of ${id}`);
      return say(201, resource === 'devices' ? { device: { id }, secret: `secret of ${id}` } : { id });
    };
    answer().catch(() => response.destroy());
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function person(): { io: Io; lines: string[]; shown: string[]; end: () => void } {
  const lines: string[] = [];
  const shown: string[] = [];
  const aborter = new AbortController();
  const io: Io = {
    clock: systemClock,
    terminal: true,
    line: (text) => void lines.push(text),
    progress: (text) => void shown.push(text),
    signal: aborter.signal,
    environment: { SMARTFIRE_TOKEN: 'good' },
  };
  return { io, lines, shown, end: () => aborter.abort() };
}

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 15_000, interval: 20 });
const credentials = () => join(folder, 'devices.json');
const options = (more: object = {}) =>
  simulateOptions.parse({
    url: `mqtt://127.0.0.1:${broker.port}`,
    api: `http://127.0.0.1:${(api.address() as { port: number }).port}`,
    credentials: credentials(),
    devices: '25',
    ...more,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simulate-'));
  broker = await startPlainBroker((username) => created.get(`devices/${username}`));
  api = await startApi();
});

afterEach(async () => {
  await broker.close();
  await new Promise((resolve) => api.close(resolve));
  rmSync(folder, { recursive: true, force: true });
  created.clear();
  refuseAfter = Number.POSITIVE_INFINITY;
});

describe('smart-fire simulate', () => {
  it('creates the county, keeps the secrets for their owner alone, shows rates, and ends cleanly when asked', async () => {
    const { io, lines, shown, end } = person();
    const run = runSimulation(options({ scenario: 'growing-fire', speed: '60' }), io);
    await until(() => expect(shown.at(-1)).toMatch(/^(\d+)\/\1 connected {2}25 devices/));
    expect(statSync(credentials()).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(credentials(), 'utf8'))).toHaveLength(25);
    end();
    await run;
    await until(() => expect(broker.clients()).toEqual([]));
    expect(lines.at(-1)).toMatch(/^25 devices: \d+ messages sent/);
  });

  it('runs again from the file without creating anything twice', async () => {
    await runSimulation(options({ seconds: '0.05' }), person().io);
    const before = created.size;
    for (const more of [{}, { api: undefined }]) {
      const again = person();
      await runSimulation(options({ ...more, seconds: '0.3' }), again.io);
      expect(again.lines.at(-1)).toMatch(/^25 devices/);
    }
    expect(created.size).toBe(before);
  });

  it('keeps the secrets it got when creation fails midway, and goes on from there', async () => {
    refuseAfter = 30;
    await expect(runSimulation(options(), person().io)).rejects.toThrow(/503 The state store is away/);
    const kept = JSON.parse(readFileSync(credentials(), 'utf8')) as { id: string }[];
    expect(kept.length).toBe([...created.keys()].filter((key) => key.startsWith('devices/')).length);
    refuseAfter = Number.POSITIVE_INFINITY;
    await runSimulation(options({ seconds: '0.05' }), person().io);
    expect(JSON.parse(readFileSync(credentials(), 'utf8'))).toHaveLength(25);
  });

  it('waits as long as the platform asks when it creates devices too fast', async () => {
    busy = 3;
    const { io, lines } = person();
    await runSimulation(options({ seconds: '0.05' }), io);
    expect(busy).toBe(0);
    expect(lines.at(-1)).toMatch(/^25 devices/);
  });

  it('says what is missing', async () => {
    const { io } = person();
    await expect(runSimulation(options({ api: undefined }), io)).rejects.toThrow(/no devices there.*SMARTFIRE_TOKEN/s);
    await expect(runSimulation(options({ token: 'bad' }), io)).rejects.toThrow(/401 Log in first/);
    await expect(runSimulation(options(), { ...io, environment: {} })).rejects.toThrow(/needs an API token/);
    expect(() => options({ devices: '10001', url: 'http://x', drop: '2' })).toThrow(/devices[\s\S]*|url[\s\S]*|drop/);
    writeFileSync(credentials(), '{"id":1}');
    await expect(runSimulation(options({ api: undefined }), io)).rejects.toThrow(/devices\.json/);
  });

  it('offers every option by a flag with its meaning and default', () => {
    const flags: string[] = [];
    simulateOptions.addTo({ option: (flag: string, text: string) => flags.push(`${flag}: ${text}`) });
    expect(flags).toHaveLength(Object.keys(simulateOptions.schema.shape).length);
    expect(flags.join('\n')).toMatch(/--devices <number>: .*\(default: 100\)/);
    expect(flags.join('\n')).toMatch(/--persistent: clean session false$/m);
  });
});

describe('smart-fire load', () => {
  it('loads the broker with the devices of the file and sums up', async () => {
    await runSimulation(options({ seconds: '0.05' }), person().io);
    const { io, lines } = person();
    const raw = {
      port: String(broker.port),
      credentials: credentials(),
      connections: '4',
      rate: '200',
      seconds: '0.7',
    };
    await runLoad(loadOptions.parse(raw), io);
    expect(lines.at(-1)).toMatch(/^(\d+) sent, 0 sent again, \1 acknowledged, 0 unanswered, 0 reconnects/);
    expect(Number.parseInt(lines.at(-1)!, 10)).toBeGreaterThan(50);
  });
});
