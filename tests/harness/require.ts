import { spawnSync } from 'node:child_process';
import { accessSync, appendFileSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'vitest';

/** Real servers and programs that some tests need and that npm does not bring. */
export type Foreign = 'influxd' | 'victoria-metrics' | 'mosquitto' | 'chromium' | 'docker';

const present: Record<Foreign, () => boolean> = {
  influxd: () => onPath('influxd'),
  'victoria-metrics': () => onPath('victoria-metrics'),
  mosquitto: () => onPath('mosquitto') && onPath('mosquitto_pub') && onPath('mosquitto_sub'),
  chromium: () => CHROMIUM !== null,
  docker: () =>
    onPath('docker-compose') && spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0,
};

// Debian keeps some servers where only root's PATH looks.
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Full path of a program, or null. */
export function find(program: string): string | null {
  return folders.map((folder) => join(folder, program)).find(executable) ?? null;
}

/** The browser that the tests drive, or null. */
export const CHROMIUM = [process.env.CHROMIUM_PATH, find('chromium'), find('google-chrome')].find(Boolean) ?? null;

/**
 * For `describe.skipIf(missing('chromium'))`: true when it is not here, which run.ts lists as "not run".
 * Throws instead where everything is required (SMARTFIRE_REQUIRE=all), so that nothing is left out unseen.
 */
export function missing(what: Foreign): boolean {
  if (present[what]()) return false;
  notRun(`needs ${what}`);
  return true;
}

/** Lists the running test file as not run, and why; a failure with SMARTFIRE_REQUIRE=all. */
export function notRun(reason: string): void {
  if (process.env.SMARTFIRE_REQUIRE === 'all') throw new Error(`${reason}, and SMARTFIRE_REQUIRE=all`);
  const file = expect.getState().testPath ?? 'a test';
  if (process.env.SMARTFIRE_NOT_RUN) appendFileSync(process.env.SMARTFIRE_NOT_RUN, `${file}\t${reason}\n`);
}

function onPath(program: string): boolean {
  return find(program) !== null;
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
