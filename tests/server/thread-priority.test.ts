import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { type RunningCentre, startCentre } from '../harness/centre.ts';

let centre: RunningCentre | undefined;
afterEach(() => centre?.remove());

/** Nice of a thread, field 19 of proc_pid_stat(5), which is counted behind the name in parentheses. */
const niceOf = (stat: string) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);

it.skipIf(process.platform !== 'linux')(
  'threads that store things step behind the one that answers devices',
  async () => {
    centre = await startCentre({ devices: 1 });
    const tasks = `/proc/${centre.server.pid}/task`;
    const nice = new Map(
      readdirSync(tasks).map((id) => [Number(id), niceOf(readFileSync(`${tasks}/${id}/stat`, 'utf8'))]),
    );
    const main = nice.get(centre.server.pid!)!;
    const behind = [...nice.values()].filter((one) => one === Math.min(19, main + 5));
    // Journal, state store and readings store.
    expect(behind.length).toBeGreaterThanOrEqual(3);
    expect(nice.size).toBeGreaterThan(behind.length + 1);
  },
);
