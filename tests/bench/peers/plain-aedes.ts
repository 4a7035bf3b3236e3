import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Peer, stopProcess, waitForLine } from './peer.ts';

export async function plainAedes(): Promise<Peer> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./plain-aedes-server.ts', import.meta.url))]);
  const [, port] = await waitForLine(child, /port (\d+)/);
  return { name: 'plain Aedes', port: Number(port), pid: child.pid!, stop: () => stopProcess(child) };
}
