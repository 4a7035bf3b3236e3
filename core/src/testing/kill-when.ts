import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Runs a script and sends SIGKILL when a line of its output is `enough`. Resolves with the last complete line it had written. */
export async function killWhen(
  script: string,
  argument: string,
  enough: (line: string, count: number) => boolean,
): Promise<string> {
  const child = spawn(process.execPath, [script, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let last = '';
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    if (enough(line, ++count)) child.kill('SIGKILL');
  }
  await ended;
  return last;
}
