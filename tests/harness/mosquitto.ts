import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Publisher {
  port: number;
  user: string;
  password: string;
  /** Client id, where it is not the user name. */
  id?: string;
}

const GIVE_UP_MS = 10_000;

/**
 * Eclipse Mosquitto's own `mosquitto_pub`, QoS 1: `code` 0 means that PUBACK came; otherwise `output` has its words.
 * A client that does not end by itself is ended after 10 s with code null.
 */
export async function mosquittoPub(
  { port, user, password, id = user }: Publisher,
  topic: string,
  payload: string | Buffer,
): Promise<{ code: number | null; output: string }> {
  // -s: the payload is what comes on standard input, byte for byte.
  const child = spawn(
    'mosquitto_pub',
    ['-h', '127.0.0.1', '-p', String(port), '-u', user, '-P', password, '-i', id, '-q', '1', '-t', topic, '-s'],
    { timeout: GIVE_UP_MS, killSignal: 'SIGKILL' },
  );
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(payload);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** `mosquitto_sub`, as far as its SUBACK: `granted` is the QoS, or 128 for refused. `lines` goes on growing with what it prints. */
export async function mosquittoSub({ port, user, password, id = user }: Publisher, filter: string) {
  const child = spawn(
    // It holds back what it prints into a pipe.
    'stdbuf',
    [
      '-oL',
      'mosquitto_sub',
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-u',
      user,
      '-P',
      password,
      '-i',
      id,
      '-q',
      '1',
      '-t',
      filter,
      '-d',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const lines: string[] = [];
  const granted = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`mosquitto_sub got no SUBACK:\n${lines.join('\n')}`)), GIVE_UP_MS);
    const take = (line: string) => {
      lines.push(line);
      const code = /^Subscribed \(mid: \d+\): (\d+)/.exec(line)?.[1];
      // It says this of a refused one and ends.
      const refused = /denied|not authorised/i.test(line);
      if (code === undefined && !refused) return;
      clearTimeout(timer);
      resolve(refused ? 128 : Number(code));
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', take);
  });
  return {
    granted: await granted.catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    }),
    lines,
    stop(): void {
      child.kill('SIGKILL');
    },
  };
}
