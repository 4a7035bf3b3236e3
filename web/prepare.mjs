// Builds the console into web/dist where vite is installed; a production install without it keeps what is there.
// Plain JavaScript: it runs under whatever Node called npm.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

let vite;
try {
  vite = join(dirname(require.resolve('vite/package.json')), 'bin/vite.js');
} catch {
  console.log('vite is not installed: the console is not built (web/dist stays as it is).');
  process.exit(0);
}
if (!existsSync(join(here, 'console/index.html'))) process.exit(0);

// `node` from node_modules/.bin is the version the workspaces ask for; the machine's own may be older.
const bin = join(here, '../node_modules/.bin');
const result = spawnSync('node', [vite, 'build', '--logLevel', 'warn'], {
  cwd: here,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
});
process.exit(result.status ?? 1);
