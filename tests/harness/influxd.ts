import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { find } from './require.ts';

/** A real InfluxDB 1.x on free loopback ports, its data in a throw-away folder. */
export interface Influxd {
  /** host:port of its HTTP API. */
  host: string;
  /** READINGS_URL of a database in it. */
  readingsUrl: string;
  /** Comes up again with the same data and address. */
  start(): Promise<void>;
  /** SIGTERM, or SIGKILL, and waits for the end. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
  /** Answer of its own HTTP API. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

export async function startInfluxd(): Promise<Influxd> {
  const folder = mkdtempSync(join(tmpdir(), 'smartfire-influxd-'));
  mkdirSync(join(folder, 'meta'));
  const [http, rpc] = [await freePort(), await freePort()];
  const host = `127.0.0.1:${http}`;
  const config = join(folder, 'influxdb.conf');
  writeFileSync(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
dir = "${folder}/meta"
[data]
dir = "${folder}/data"
wal-dir = "${folder}/wal"
query-log-enabled = false
[http]
bind-address = "${host}"
log-enabled = false
[monitor]
store-enabled = false
[logging]
level = "error"
`,
  );
  let child: ChildProcess | null = null;
  const influxd: Influxd = {
    host,
    readingsUrl: `influx://${host}/smartfire`,
    async start() {
      child = spawn(find('influxd')!, ['run', '-config', config], { stdio: 'ignore' });
      for (let attempt = 0; attempt < 300; attempt++) {
        if (child.exitCode !== null) throw new Error(`influxd ended with ${child.exitCode}`);
        const answer = await influxd.request('/ping').catch(() => null);
        if (answer?.ok) return;
        await sleep(50);
      }
      throw new Error('influxd does not answer');
    },
    async stop(signal = 'SIGTERM') {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
      child = null;
    },
    async remove() {
      await influxd.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
    request: (path, init) => fetch(`http://${host}${path}`, init),
  };
  await influxd.start();
  return influxd;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
