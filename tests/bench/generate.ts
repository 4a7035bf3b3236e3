import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorOrder, GeneratorResult } from './generator.ts';

/** Run the generator once, in its own process. */
export function generate(order: GeneratorOrder): Promise<GeneratorResult> {
  const child = fork(fileURLToPath(new URL('./generator.ts', import.meta.url)));
  return new Promise((done, fail) => {
    child.once('message', (result) => done(result as GeneratorResult));
    child.once('exit', (code) => code !== 0 && fail(new Error(`the load generator ended with ${code}`)));
    child.send(order);
  });
}
