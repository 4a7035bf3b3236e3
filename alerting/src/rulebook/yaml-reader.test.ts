import { readFileSync } from 'node:fs';
import { FakeClock } from '@smart-fire/core/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RuleHouse } from '../testing/rule-house.ts';
import { createYamlReader } from './yaml-reader.ts';

const MIB = 1024 * 1024;
const lead = { id: 'lead', scope: '/' };
const fill = (piece: string, size = MIB) => piece.repeat(Math.floor(size / piece.length));
const rule = (i: number) =>
  `- { id: r${i}, type: threshold, class: early-warning, zh: a, en: b, scope: { site: s1 }, metric: pressure, ` +
  `direction: below, limit: 1, hysteresis: 1, forMs: 0, overrides: [{ scope: { device: p1 }, changes: { limit: 2 } }] }\n`;

/** CPU that this thread takes (ms), whatever other threads and processes do meanwhile. */
async function ownCpu(work: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

describe('a file of the largest size made to be slow', () => {
  let house: RuleHouse;
  beforeEach(async () => {
    house = await new RuleHouse().open();
  });
  afterEach(() => house.close());

  it.each([
    ['empty lists', `[${fill('[],')}]`],
    ['empty rules', `rules: [${fill('{},')}]`],
    ['as many empty rules as are read', `[${fill('{},', 390_000)}]`],
    ['as many rules with nothing but an id as are read', fill('- {id: a}\n', 400_000)],
    ['fields', fill('a:\n')],
    ['dashes', fill('- ')],
    ['brackets', fill('[')],
    ['closed and opened brackets', `${']'.repeat(300)}${fill('[', 390_000)}`],
    ['explicit keys', fill('? ')],
    [
      'indented explicit keys',
      Array.from({ length: 250 }, (_, i) => `${' '.repeat(i * 31)}${'? '.repeat(15)}\n`).join(''),
    ],
    ['indented lists', Array.from({ length: 250 }, (_, i) => `${' '.repeat(i * 31)}${'- '.repeat(15)}\n`).join('')],
    ['errors', fill('} ')],
    ['tags', `[${fill('!a a,')}]`],
    ['directives', fill('%TAG !a! b\n')],
    ['aliases', `[${fill('*a,')}]`],
    ['nothing but lines', fill('\n')],
  ])('is refused without holding up anything else: %s', async (_, text) => {
    let errors: unknown[] = [];
    const cpu = await ownCpu(async () => {
      ({ errors } = await house.book.importYaml(lead, text, { dryRun: false }));
    });
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(200);
    // Reading them here took 1 to 8 s.
    expect(cpu).toBeLessThan(500);
  });

  it('and with more rules than there may be is refused before all of them are checked', async () => {
    const { errors } = await house.book.importYaml(lead, Array.from({ length: 1005 }, (_, i) => rule(i)).join(''), {
      dryRun: false,
    });
    expect(errors).toMatchObject([{ line: 1, en: expect.stringContaining('1000') }]);
  });

  it('while a change by somebody else goes on', async () => {
    const done: string[] = [];
    await Promise.all([
      house.book.importYaml(lead, fill('%TAG !a! b\n'), { dryRun: false }).then(() => done.push('import')),
      house.book.change(lead, 'preset:pump:low', 1, { mode: 'off' }).then(() => done.push('change')),
    ]);
    expect(done).toEqual(['change', 'import']);
  });
});

describe('the reader', () => {
  const slow = Array.from({ length: 900 }, (_, i) => rule(i)).join('');

  it('gives up on what takes too long, and reads the next', async () => {
    const clock = new FakeClock();
    const reader = createYamlReader({ clock });
    const given = reader.read(slow);
    const next = reader.read(rule(1));
    await Promise.resolve();
    clock.advance(10_000);
    expect(await given).toMatchObject({ entries: [], errors: [{ line: 1 }] });
    expect((await next).entries).toMatchObject([{ fields: { id: 'r1' } }]);
  });

  it('takes one at a time, and lets only a few wait', async () => {
    const reader = createYamlReader({ clock: new FakeClock() });
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => reader.read(rule(1))));
    expect(all.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, true, true, true, false, false]);
    expect(all.at(-1)).toMatchObject({ reason: { code: 'FIRE_RATE_LIMITED' } });
    expect((await reader.read(rule(2))).entries).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')(
    'outlives a process that dies over a text, says so, and reads the next',
    async () => {
      const children = () =>
        readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
      const before = new Set(children());
      const reader = createYamlReader({ clock: new FakeClock() });
      const given = reader.read(slow).catch((error: Error) => error.message);
      const next = reader.read(rule(1));
      await vi.waitFor(() => expect(children().filter((id) => id !== '' && !before.has(id))).toHaveLength(1));
      for (const id of children()) if (!before.has(id)) process.kill(Number(id), 'SIGSEGV');
      expect(await given).toContain('SIGSEGV');
      expect((await next).entries).toMatchObject([{ fields: { id: 'r1' } }]);
    },
  );

  it('stops at once', async () => {
    const reader = createYamlReader({ clock: new FakeClock() });
    const given = reader.read(slow);
    await Promise.resolve();
    await reader.stop();
    expect((await given).errors).toHaveLength(1);
    expect((await reader.read(slow)).errors).toHaveLength(1);
  });
});
