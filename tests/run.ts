import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What `npm test` runs: the five groups of vitest.config.ts one after the other, all of them whatever the earlier ones find.
 * Arguments are passed on to vitest (a path, `-t name`). The last line is `N passed, N failed`.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'smart-fire-tests-'));
const notRunFile = join(scratch, 'not-run');
writeFileSync(notRunFile, '');
const seed = process.env.FAST_CHECK_SEED ?? String(Math.floor(Math.random() * 2 ** 31));

interface Figures {
  passed: number;
  failed: number;
  /** Names of what did not pass, for the summary. */
  failures: string[];
  skipped: number;
}

interface Report {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

function runGroup(name: string): Promise<Figures> {
  const file = join(scratch, `${name}.json`);
  return new Promise((resolve) => {
    const child = spawn(
      'node_modules/.bin/vitest',
      // biome-ignore format: one option a line is easier to change
      ['run', '--config', 'tests/vitest.config.ts', '--project', name, '--passWithNoTests',
        '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...process.argv.slice(2)],
      {
        cwd: root,
        stdio: 'inherit',
        env: { ...process.env, FAST_CHECK_SEED: seed, SMARTFIRE_NOT_RUN: notRunFile },
      },
    );
    child.on('close', (code) => resolve(figures(name, file, code)));
  });
}

function figures(name: string, file: string, code: number | null): Figures {
  const found: Figures = { passed: 0, failed: 0, failures: [], skipped: 0 };
  let report: Report = { testResults: [] };
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    // A run without any file of its group writes none; a broken one is counted below by its exit code.
  }
  for (const suite of report.testResults) {
    const path = relative(root, suite.name);
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') found.passed += 1;
      else if (test.status === 'failed') found.failures.push(`${path}: ${test.fullName}`);
      else found.skipped += 1;
    }
    // A file that broke outside its tests (import, hook, required program missing).
    if (suite.status === 'failed' && !suite.assertionResults.some((test) => test.status === 'failed'))
      found.failures.push(`${path}: ${suite.message.split('\n')[0]}`);
  }
  // An error nobody caught fails the run without failing a test.
  if (code !== 0 && found.failures.length === 0) found.failures.push(`${name}: vitest ended with ${code}`);
  found.failed = found.failures.length;
  return found;
}

console.log(`Property tests run with FAST_CHECK_SEED=${seed}`);
const total: Figures = { passed: 0, failed: 0, failures: [], skipped: 0 };
const times: string[] = [];
for (const name of ['unit', 'unit-aedes-only', 'server', 'browser', 'compose']) {
  const began = performance.now();
  const group = await runGroup(name);
  total.passed += group.passed;
  total.failed += group.failed;
  total.skipped += group.skipped;
  total.failures.push(...group.failures);
  times.push(`${name} ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

const notRun = new Set(readFileSync(notRunFile, 'utf8').split('\n').filter(Boolean));
rmSync(scratch, { recursive: true });
console.log(`\nTimes: ${times.join(', ')}. Property tests ran with FAST_CHECK_SEED=${seed}`);
for (const line of notRun) {
  const [file, reason] = line.split('\t');
  console.log(`not run: ${relative(root, file ?? '')} ${reason}`);
}
if (total.skipped > 0) console.log(`${total.skipped} skipped`);
for (const failure of total.failures) console.log(`FAILED ${failure}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
