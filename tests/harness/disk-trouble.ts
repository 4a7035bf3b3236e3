// Loaded into a server under test: while the file named in DISK_TROUBLE is there, writes to the journal's log wait (`hang` in it) or fail with
// the error code in it.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const file = process.env.DISK_TROUBLE!;
const write = fs.write as (...args: unknown[]) => void;

function troubled(...args: unknown[]): void {
  const [fd] = args;
  const trouble = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  if (trouble === '' || !fs.readlinkSync(`/proc/self/fd/${fd}`).includes('journal')) write(...args);
  else if (trouble === 'hang') setTimeout(troubled, 20, ...args);
  else {
    const done = args.at(-1) as (error: Error) => void;
    setImmediate(done, Object.assign(new Error(`${trouble}: as the test has it`), { code: trouble }));
  }
}

fs.write = troubled as typeof fs.write;
syncBuiltinESMExports();
