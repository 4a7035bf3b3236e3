import type { RuleDraft, RuleRecord } from '@smart-fire/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RuleHouse } from '../testing/rule-house.ts';
import { readRules } from './yaml-read.ts';

const LOW = 'preset:pump:low';
const lead = { id: 'lead', scope: '/' };
const townLead = { id: 'town-lead', scope: '/c/t1/' };

let house: RuleHouse;
beforeEach(async () => {
  house = await new RuleHouse().open();
});
afterEach(() => house.close());

const load = (text: string, { actor = lead, dryRun = false } = {}) => house.book.importYaml(actor, text, { dryRun });
const own = (more: Partial<RuleDraft['definition']> = {}): RuleDraft => ({
  definition: {
    ...{ type: 'threshold', class: 'early-warning', zh: '自建: #1', en: 'on', source: { zh: '', en: '- x: {' } },
    ...{ metric: 'pressure', direction: 'below', limit: 120, hysteresis: 5, forMs: 1000, ...more },
  },
  scope: { kinds: ['pump'], area: 't1' },
  mode: 'shadow',
  schedule: { windows: [{ days: [6, 7], from: '22:00', to: '06:00' }] },
});
const contents = () =>
  house.book.rules('/').map(({ changedAt: _, changedBy: __, version: ___, ...rest }: RuleRecord) => rest);

describe('export and import', () => {
  it('are each other’s inverse, on the same machine and on an empty one', async () => {
    await house.book.change(lead, LOW, 1, { definition: { limit: 90 }, mode: 'off' });
    await house.book.putOverride(lead, LOW, 2, { scope: { site: 's1' }, changes: { limit: 80, mode: 'on' } });
    const { id } = await house.book.create(lead, own());
    const text = house.book.exportYaml('/');
    const before = contents();
    expect(await load(text)).toMatchObject({ created: [], changed: [], errors: [] });
    expect(house.book.exportYaml('/')).toBe(text);

    await house.book.stop();
    await house.state.close();
    await house.open('other.db');
    expect(await load(text)).toMatchObject({ created: [id], changed: [LOW], errors: [] });
    expect(house.book.exportYaml('/')).toBe(text);
    expect(contents()).toEqual(before);
  });

  it('keep every text and number as it was', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((one) => one.trim() !== '');
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text, number), { maxLength: 20 }), async (rules) => {
        const ids: string[] = [];
        for (const [zh, en, limit] of rules)
          ids.push((await house.book.create(lead, own({ zh, en, limit, source: { zh: en, en: zh } }))).id);
        expect(await load(house.book.exportYaml('/'))).toMatchObject({ created: [], changed: [], errors: [] });
        for (const id of ids) await house.book.remove(lead, id, undefined);
      }),
      { numRuns: 12 },
    );
  });

  it('show what we ship as comments, with units, and what was changed of it', async () => {
    await house.book.change(lead, LOW, 1, { definition: { limit: 90 } });
    const text = house.book.exportYaml('/');
    expect(text).toContain('    limit: 90 # 限值 Limit, kPa; as shipped: 100\n');
    expect(text).toMatch(/ {4}# forMs: 5000 # .*ms\n/);
    expect(text).not.toContain('type: verdict');
  });

  it('of a preset leaves what the file does not name as we ship it, and leaves other rules alone', async () => {
    await house.book.change(lead, LOW, 1, { definition: { limit: 90 }, mode: 'off' });
    const { id } = await house.book.create(lead, own());
    expect(await load(`- { id: ${LOW}, hysteresis: 20 }`)).toMatchObject({ changed: [LOW] });
    const { definition, mode } = house.book.rule(LOW, '/')!;
    expect([definition.limit, definition.hysteresis, mode]).toEqual([100, 20, 'on']);
    expect(house.book.rule(id, '/')?.version).toBe(1);
  });
});

describe('an import', () => {
  const good = `format: 1
rules:
  - id: ${LOW}
    limit: 90
  - id: night
    type: threshold
    class: early-warning
    zh: 夜间
    en: Night
    scope: { site: s1 }
    metric: pressure
    direction: below
    limit: 150
    hysteresis: 5
    forMs: 0
`;

  it('is tried without doing anything', async () => {
    expect(await load(good, { dryRun: true })).toEqual({
      created: ['night'],
      changed: [LOW],
      unchanged: [],
      errors: [],
    });
    expect(house.book.rule('night', '/')).toBeUndefined();
    expect(house.changes).toBe(0);
    await load(good);
    expect(house.changes).toBe(1);
    expect(house.book.rule('night', '/')).toMatchObject({ version: 1, mode: 'on', schedule: null });
    expect(await load(good)).toMatchObject({ unchanged: [LOW, 'night'] });
  });

  it('does all or nothing, and names the line of every problem', async () => {
    const bad = good
      .replace('limit: 90', 'limit: ninety')
      .replace('site: s1', 'site: nowhere')
      .replace('forMs: 0', 'forMs: -1\n    formMs: 2');
    const plan = await load(bad);
    expect(plan.errors.map(({ line, path }) => [line, path])).toEqual([
      [4, 'limit'],
      [10, 'scope.site'],
      [15, 'forMs'],
      [16, 'formMs'],
    ]);
    expect(house.book.rule(LOW, '/')?.version).toBe(1);
    expect(house.book.rule('night', '/')).toBeUndefined();
  });

  it('says of what is left out that it is missing', async () => {
    const { errors } = await load(good.replace('    zh: 夜间\n', ''));
    expect(errors).toMatchObject([{ line: 5, path: 'zh', zh: '缺少此项', en: 'is missing' }]);
  });

  it.each([
    ['nothing', ''],
    ['a word', 'rules'],
    ['two documents', '---\nrules: []\n---\nrules: []\n'],
    ['a broken line', 'rules:\n  - id: "x\n'],
    ['a list of numbers', '[1, 2]'],
    ['a field twice', `- { id: ${LOW}, limit: 1, limit: 2 }`],
    ['a rule twice', `- { id: ${LOW} }\n- { id: ${LOW} }`],
    ['another format', 'format: 2\nrules: []'],
    ['another field', 'rulez: []'],
    ['an unknown preset', '- id: preset:nothing'],
    ['no id', '- { type: threshold, scope: {} }'],
    ['an id with a slash', '- { id: a/b, scope: {} }'],
    ['no scope', good.replace('    scope: { site: s1 }\n', '')],
    ['a changed name of a preset', `- { id: ${LOW}, zh: 别名 }`],
    ['overrides that are none', `- { id: ${LOW}, overrides: { a: 1 } }`],
    ['an unknown kind', good.replace('type: threshold', 'type: oracle')],
    ['a tag', `- { id: ${LOW}, limit: !!js/function "x" }`],
    ['an alias', `- &a { id: ${LOW} }\n- *a`],
    ['a bomb', `a: &a [x,x,x]\nb: &b [*a,*a,*a]\nrules: [*b,*b]`],
    ['depth', `${'['.repeat(20_000)}`],
    ['prototype keys', `- { id: ${LOW}, __proto__: { limit: 1 }, constructor: 1 }`],
  ])('refuses %s with a line, and does nothing', async (_, text) => {
    const { errors, created, changed } = await load(text);
    expect(errors).not.toEqual([]);
    for (const { line, zh, en } of errors) expect([line > 0, zh !== '', en !== '']).toEqual([true, true, true]);
    expect(house.changes).toBe(0);
    expect([created, changed].flat().every((id) => house.book.rule(id, '/')?.version !== 2)).toBe(true);
  });

  it('answers any garbage with errors or a plan, never with a crash', async () => {
    const pieces = fc.constantFrom(
      'rules:',
      '\n',
      '- ',
      'id: ',
      LOW,
      '  ',
      '{',
      '}',
      '[',
      '&a',
      '*a',
      ':',
      'limit',
      '1',
      '"',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ maxLength: 60 }),
          fc.array(pieces).map((some) => some.join('')),
        ),
        async (text) => {
          // A thread for each would take its time.
          if (readRules(text).errors.length === 0) await load(text, { dryRun: true });
        },
      ),
      { numRuns: 300 },
    );
    expect(house.changes).toBe(0);
  });

  it('by a lead of one town changes only what is in the town, and keeps what he cannot see', async () => {
    await house.book.putOverride(lead, LOW, 1, { scope: { site: 's2' }, changes: { limit: 70 } });
    const mine = `- id: ${LOW}\n  overrides:\n    - scope: { site: s1 }\n      changes: { limit: 60 }\n`;
    expect(await load(mine, { actor: townLead })).toMatchObject({ changed: [LOW], errors: [] });
    expect(house.book.rule(LOW, '/')?.overrides.map(({ scope }) => scope)).toEqual([{ site: 's1' }, { site: 's2' }]);
    expect((await load(`- { id: ${LOW}, limit: 1 }`, { actor: townLead })).errors).toMatchObject([{ line: 1 }]);
    expect((await load(good.replace('s1', 's2'), { actor: townLead })).errors).toMatchObject([
      { line: 3 },
      { line: 10 },
    ]);
    const text = house.book.exportYaml(townLead.scope);
    expect(await load(text, { actor: townLead })).toMatchObject({ created: [], changed: [], errors: [] });
  });
});

it('finds a field that is there twice, with its line, however many fields there are', () => {
  const fields = Array.from({ length: 20_000 }, (_, i) => `  k${i}: ${i}`);
  const began = performance.now();
  const { errors } = readRules(`rules:\n- id: x\n${fields.join('\n')}\n  k7: 1\n`);
  expect(errors).toEqual([{ line: 20_003, path: 'k7', zh: '此项重复', en: 'is there twice' }]);
  // Comparing each with all before it takes seconds.
  expect(performance.now() - began).toBeLessThan(3000);
  expect(readRules(`rules: [${'{ a: &x 1 }, '.repeat(5000)}]`).errors.length).toBeLessThanOrEqual(100);
});
