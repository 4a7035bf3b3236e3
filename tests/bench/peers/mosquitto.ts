import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Peer, stopProcess, waitForLine } from './peer.ts';

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

/** Mosquitto, acknowledging only: no persistence, no subscriber. */
export async function mosquitto(devices: Peer['devices']): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(
    file,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\nlog_dest stderr\n`,
  );
  const child = spawn('mosquitto', ['-c', file, '-v'].slice(0, 2));
  await waitForLine(child, /running/);
  return {
    name: 'Mosquitto',
    port,
    devices,
    pid: child.pid!,
    stop: async () => {
      await stopProcess(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
