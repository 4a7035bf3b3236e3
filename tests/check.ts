import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { layoutProblems } from './harness/layout.ts';

/** What `npm run check` runs. Every one is run, whatever the others find. */
const root = new URL('..', import.meta.url);
const packages = ['smart-fire.ts', 'core', 'broker', 'ingest', 'alerting', 'web', 'simulators', 'tests'].filter(
  (path) => existsSync(new URL(path, root)),
);
const checks: [name: string, command: string[]][] = [
  ['types', ['tsc', '-p', 'tsconfig.json']],
  ['types of the console', ['vue-tsc', '-p', 'web/tsconfig.json', '--noEmit']],
  ['lint and format', ['biome', 'check', '--diagnostic-level=warn', '--error-on-warnings', '.']],
  ['arrows', ['depcruise', '--config', '.dependency-cruiser.cjs', ...packages]],
  ['dead code', ['knip', '--no-progress']],
];

interface Outcome {
  name: string;
  seconds: number;
  ok: boolean;
  output: string;
}

async function measured(name: string, work: () => Promise<{ ok: boolean; output: string }>): Promise<Outcome> {
  const began = performance.now();
  const outcome = await work();
  return { name, seconds: (performance.now() - began) / 1000, ...outcome };
}

function run(command: string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(`node_modules/.bin/${command[0]}`, command.slice(1), {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1' },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

const outcomes = await Promise.all([
  ...checks.map(([name, command]) => measured(name, () => run(command))),
  measured('layout', async () => {
    const problems = await layoutProblems(root);
    return { ok: problems.length === 0, output: problems.join('\n') };
  }),
]);

for (const { name, ok, output } of outcomes) if (!ok) console.log(`\n── ${name} ──\n${output.trim()}`);
console.log();
for (const { name, ok, seconds } of outcomes)
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(22)} ${seconds.toFixed(1).padStart(5)} s`);
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1;
