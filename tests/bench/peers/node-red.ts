import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../harness/server.ts';
import { mosquitto } from './mosquitto.ts';
import { alertFlow } from './node-red-flow.ts';
import { type Peer, stopProcess, waitForLine } from './peer.ts';

const CACHE = join(tmpdir(), 'smart-fire-bench-node-red-5');
const INSTALL_MS = 300_000;

/** Mosquitto and Node-RED 5, which does the same reading-to-alert work. `pids`: the broker and the flows. */
export interface NodeRedPeer extends Peer {
  alertsUrl: string;
  pids: [number, number];
}

/** The program, installed once from npm into a cache of its own outside the repository. */
async function program(say: (line: string) => void): Promise<string> {
  const file = join(CACHE, 'node_modules/node-red/red.js');
  if (existsSync(file)) return file;
  say(`Node-RED  is being installed into ${CACHE}`);
  mkdirSync(CACHE, { recursive: true });
  await promisify(execFile)(
    'npm',
    ['install', 'node-red@5', '--prefix', CACHE, '--no-audit', '--no-fund', '--omit=optional', '--loglevel=error'],
    { timeout: INSTALL_MS, maxBuffer: 16 * 1024 ** 2, cwd: CACHE },
  );
  return file;
}

/** Rejects where it cannot be installed, and where Mosquitto is missing. */
export async function nodeRed(say: (line: string) => void): Promise<NodeRedPeer> {
  const red = await program(say);
  const broker = await mosquitto();
  const folder = mkdtempSync(join(tmpdir(), 'node-red-'));
  const [port] = await freePorts(1);
  writeFileSync(join(folder, 'flows.json'), JSON.stringify(alertFlow(broker.port)));
  writeFileSync(
    join(folder, 'settings.js'),
    `module.exports = { uiHost: '127.0.0.1', uiPort: ${port}, flowFile: 'flows.json', credentialSecret: false, disableEditor: true, httpAdminRoot: false };\n`,
  );
  const child = spawn(process.execPath, [red, '--userDir', folder]);
  const stop = async () => {
    await Promise.all([stopProcess(child), broker.stop()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitForLine(child, /Connected to broker/);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: 'Mosquitto + Node-RED',
    port: broker.port,
    pid: child.pid!,
    pids: [broker.pid, child.pid!],
    alertsUrl: `ws://127.0.0.1:${port}/alerts`,
    stop,
  };
}
