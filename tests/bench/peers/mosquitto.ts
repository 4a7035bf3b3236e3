import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find } from '../../harness/require.ts';
import { freePorts } from '../../harness/server.ts';
import { type Peer, stopProcess, waitForLine } from './peer.ts';

/** Mosquitto without persistence. Rejects where it is not installed. */
export async function mosquitto(): Promise<Peer> {
  const program = find('mosquitto');
  if (!program) throw new Error('mosquitto is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const [port] = await freePorts(1);
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(
    file,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\nlog_dest stderr\n`,
  );
  const child = spawn(program, ['-c', file]);
  await waitForLine(child, /running/);
  return {
    name: 'Mosquitto',
    port: port!,
    pid: child.pid!,
    stop: async () => {
      await stopProcess(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
