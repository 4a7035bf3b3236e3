import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningCentre, startCentre } from '../harness/centre.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let centre: RunningCentre | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smart-fire-backtest-command-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await centre?.remove();
  centre = undefined;
});

/** `smart-fire backtest` as a process of its own. */
function backtest(args: string[], dataDir = join(folder, 'none')): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['smart-fire.ts', 'backtest', ...args],
      { cwd: root, env: { ...process.env, DATA_DIR: dataDir, LOG_LEVEL: 'warn' } },
      (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out, err }),
    );
  });
}

describe('smart-fire backtest', () => {
  it('judges a recording with nothing but the file, and ends with 1 and a sentence when it cannot', async () => {
    const csv = join(folder, 'room.csv');
    writeFileSync(csv, 'at,value\n2026-05-01 08:00:00,20\n2026-05-01 08:01:00,75\n2026-05-01 08:02:00,20\n');
    const rule = ['--rule', 'preset:heat-detector:heat', '--csv', csv, '--time', 'at'];
    const out = join(folder, 'out.csv');
    const good = await backtest([...rule, '--values', 'value=temperature', '--out', out]);
    expect(good).toMatchObject({ code: 0, err: '' });
    expect(good.out).toContain('alarms         1');
    expect(readFileSync(out, 'utf8')).toMatch(/^time,alarm,level,score\n2026-05-01 08:00:00,0,,/);
    const bad = await backtest([...rule, '--values', 'valu=temperature']);
    expect(bad).toMatchObject({ code: 1, out: '' });
    expect(bad.err).toContain('"at", "value"');
  });

  it('judges what a device reported, just before the platform was killed too, and not while the platform runs', async () => {
    centre = await startCentre({ devices: 1 });
    const { id, secret } = centre.devices[0]!;
    const { dataDir, ports } = centre.server;
    const client = await connectAsync({
      ...{ host: '127.0.0.1', port: ports.mqtt, username: id, password: secret, clientId: id },
    });
    const end = Date.now();
    for (const [back, temperature] of [40, 30, 20, 10].map((seconds) => [seconds, seconds === 20 ? 90 : 20] as const))
      await client.publishAsync(
        `smartfire/v1/${id}/telemetry`,
        JSON.stringify({ ts: end - back * 1000, values: { temperature } }),
        { qos: 1 },
      );
    await client.endAsync();
    const history = ['--rule', 'preset:heat-detector:heat', '--device', id];
    const range = ['--from', String(end - 60_000), '--to', String(end)];
    const busy = await backtest([...history, ...range], dataDir);
    expect(busy).toMatchObject({ code: 1, out: '' });
    expect(busy.err).toContain('in use');

    await centre.server.kill('SIGKILL');
    const found = await backtest([...history, ...range], dataDir);
    expect(found).toMatchObject({ code: 0, err: '' });
    expect(found.out).toContain('4 rows');
    expect(found.out).toContain('alarms         1');
  });
});
