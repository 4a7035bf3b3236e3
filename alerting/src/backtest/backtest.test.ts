import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRESETS } from '@smart-fire/core/sensors';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ruleKind } from '../rules/kinds/index.ts';
import { type BacktestDeps, backtest, backtestCommand } from './command.ts';
import { openCsv } from './csv-source.ts';
import { recordingZone } from './recording-zone.ts';
import { findRule } from './rule-source.ts';
import { runBacktest } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'smart-fire-backtest-'));
afterAll(() => rmSync(folder, { recursive: true }));

const deps: BacktestDeps = {
  timeZone: 'Asia/Shanghai',
  ownRule: async () => null,
  history: () => Promise.reject(new Error('no history here')),
};

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const HOT = write(
  'hot.yaml',
  'type: threshold\nmetric: temperature\ndirection: above\nlimit: 50\nhysteresis: 5\nforMs: 0\n',
);
const LASTING = write(
  'lasting.json',
  JSON.stringify({ type: 'threshold', metric: 't', direction: 'above', limit: 50, hysteresis: 5, forMs: 20_000 }),
);
const out = join(folder, 'out.csv');

async function run(options: Record<string, unknown>) {
  const { outcome } = await backtest({ out, ...options }, deps);
  return { ...outcome, lines: readFileSync(out, 'utf8').trimEnd().split('\n') };
}

describe('backtest of a recording', () => {
  it('writes a line for each row and says what the rule would have raised', async () => {
    const csv = write(
      'golden.csv',
      'at;room 1;state\n2026-05-01 08:00:00;49;0\n2026-05-01 08:00:10;51;1\n2026-05-01 08:00:20;;1\n2026-05-01 08:00:30;44;0\n2026-05-01 08:00:40;60;0\n',
    );
    const options = { rule: HOT, csv, time: 'at', values: 'room 1=temperature', label: 'state', out };
    expect(await backtestCommand(options, deps)).toMatchInlineSnapshot(`
      "5 rows, 0 to learn from, 5 judged: 2026-05-01 08:00:00 to 2026-05-01 08:00:40

        2026-05-01 08:00:10 to 2026-05-01 08:00:30 (20 s)
          Temperature 51 °C, above the limit of 50 °C
        2026-05-01 08:00:40 to the end
          Temperature 60 °C, above the limit of 50 °C

      alarms         2
      time in alarm  20 s (50.00 % of the time)
      precision 0.667  recall 1.000  F1 0.800  false alarm rate 33.33 %  missed alarm rate 0.00 %
      events seen    1 of 1
      false starts   1
      delay          median 0 s, longest 0 s"
    `);
    expect(readFileSync(out, 'utf8')).toMatchInlineSnapshot(`
      "time,alarm,level,score
      2026-05-01 08:00:00,0,,0.98
      2026-05-01 08:00:10,1,,1.02
      2026-05-01 08:00:20,1,,1.02
      2026-05-01 08:00:30,0,,0.88
      2026-05-01 08:00:40,1,,1.2
      "
    `);
  });

  it('counts rows that are doubled, late or without a time, goes on behind them and keeps their lines', async () => {
    const csv = write('bad.csv', 't,v\n10,40\n20,60\n20,10\n15,10\nsoon,10\n30,61\n40,40\n');
    const { lines, remarks, episodes } = await run({ rule: HOT, csv, time: 't:s', values: 'v=temperature' });
    expect(lines.slice(1).map((line) => line.split(',').slice(0, 2).join(' '))).toEqual([
      ...['10 0', '20 1', '20 1', '15 1', 'soon 1', '30 1', '40 0'],
    ]);
    expect(remarks.map(String)).toEqual([
      '1 rows without a readable time (the first: "soon")',
      '2 rows whose time is not later than that of the row before',
    ]);
    expect(episodes).toMatchObject([{ from: 20_000, to: 40_000, device: 'recording-1' }]);
  });

  it('has a line for rows before the first readable time, too', async () => {
    const csv = write('headless.csv', 't,v\nunits,C\n10,60\n20,10\n');
    const { lines, judged } = await run({ rule: HOT, csv, time: 't:s', values: 'v=temperature' });
    expect(lines.slice(1)).toEqual(['units,0,,0', '10,1,,1.2', '20,0,,0.2']);
    expect(judged).toBe(3);
  });

  it('never writes over what it reads', async () => {
    const text = 't,v\n10,40\n';
    const csv = write('precious.csv', text);
    for (const input of [
      { csv, rule: HOT },
      { csv: write('other.csv', text), rule: csv },
    ])
      await expect(run({ ...input, time: 't:s', values: 'v=temperature', out: csv })).rejects.toMatchObject({
        code: 'FIRE_REQUEST_INVALID',
      });
    expect(readFileSync(csv, 'utf8')).toBe(text);
  });

  it('ends when nobody waits for it any more', async () => {
    const csv = write('long.csv', 't,v\n10,40\n20,40\n30,40\n');
    const gone = new AbortController();
    const seen: string[] = [];
    const source = await openCsv(csv, { time: 't:s', values: 'v=temperature' }, 'Asia/Shanghai');
    const rule = await findRule(HOT, async () => null);
    const done = runBacktest({
      ...{ rules: [rule], source, registry: recordingZone(source.series, 'heat-detector'), warmUp: { rows: 0 } },
      ...{ timeZone: 'Asia/Shanghai', signal: gone.signal },
      onRow({ cell }) {
        seen.push(cell);
        gone.abort();
        return undefined;
      },
    });
    await expect(done).rejects.toMatchObject({ code: 'FIRE_BACKTEST_STOPPED' });
    expect(seen).toEqual(['10']);
  });

  it('judges what falls due between two rows when it is due, however long the gap', async () => {
    const csv = write('gap.csv', 't,v\n0,10\n10,60\n4000,10\n4010,60\n4035,60\n4040,10\n');
    const { episodes, timeInAlarm } = await run({ rule: LASTING, csv, time: 't:s', values: 'v=t' });
    expect(episodes.map(({ from, to }) => [from, to])).toEqual([
      [30_000, 4_000_000],
      [4_030_000, 4_040_000],
    ]);
    expect(timeInAlarm).toBe(3_980_000);
  });

  it('takes columns of one metric for different detectors', async () => {
    const csv = write('two.csv', 't,a,b\n0,10,10\n10,60,10\n20,60,70\n30,10,70\n40,10,10\n');
    const { episodes, timeInAlarm } = await run({ rule: HOT, csv, time: 't:s', values: 'a=temperature,b=temperature' });
    expect(episodes.map(({ device, from, to }) => [device, from, to])).toEqual([
      ['recording-1', 10_000, 30_000],
      ['recording-2', 20_000, 40_000],
    ]);
    expect(timeInAlarm).toBe(30_000);
  });

  it('shows levels as they rise, the alarm from the earliest on', async () => {
    const rows = Array.from({ length: 120 }, (_, at) => [at * 2, at < 30 ? 20 : 20 + (at - 30) ** 1.4]);
    const csv = write('fire.csv', `t,temperature\n${rows.map((row) => row.join(',')).join('\n')}\n`);
    const { lines, episodes } = await run({ rule: 'preset:fire-fusion', csv, time: 't:s', values: 'temperature' });
    const levels = lines.slice(1).map((line) => line.split(',').slice(1, 3).join(' '));
    expect([...new Set(levels)]).toEqual(['0 ', '1 early', '1 fire']);
    expect(episodes).toMatchObject([{ level: 'fire', to: null }]);
    expect(episodes[0]!.from % 2000).toBe(0);
  });

  it('leaves the warm-up out of everything, given in rows or as a share', async () => {
    const csv = write(
      'warm.csv',
      `t,v,l\n${Array.from({ length: 40 }, (_, at) => `${at},${at < 20 ? 90 : 10},1\n`).join('')}`,
    );
    const options = { rule: HOT, csv, time: 't:s', values: 'v=temperature', label: 'l' };
    const whole = await run(options);
    expect(whole).toMatchObject({ alarms: 1, judged: 40, figures: { truePositives: 20 } });
    for (const warmup of ['25', '62.5%']) {
      const { lines, ...outcome } = await run({ ...options, warmup });
      expect(outcome).toMatchObject({
        alarms: 0,
        judged: 15,
        warmUp: 25,
        timeInAlarm: 0,
        figures: { falseNegatives: 15 },
      });
      expect(lines[1]).toMatch(/^25,0,,/);
      expect(lines).toHaveLength(16);
    }
    const middle = await run({ ...options, warmup: '10' });
    expect(middle).toMatchObject({ alarms: 1, timeInAlarm: 10_000, episodes: [{ from: 10_000, to: 20_000 }] });
  });

  it('lets a rule learn for no fewer rows than its kind needs, and says so', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i},${20 + (i % 3)}\n`).join('');
    const csv = write('short.csv', `t,temperature\n${rows}`);
    const options = { time: 't:s', values: 'temperature', rule: 'preset:baseline', warmup: '1', csv };
    const outcome = await run(options);
    expect(JSON.stringify(outcome)).toContain('the rule learns for 10 rows, not 1');
    expect(JSON.stringify(outcome)).not.toContain('failed');
  });

  it('never looks ahead: a file cut short gives the same lines', async () => {
    const cell = fc.oneof(
      fc.double({ min: 0, max: 200, noNaN: true }).map((value) => value.toFixed(1)),
      fc.constant(''),
    );
    const row = fc.record({ step: fc.integer({ min: -1, max: 90 }), a: cell, b: cell, c: cell });
    const rules = [HOT, ...PRESETS.map(({ id }) => id)];
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 2, maxLength: 60 }),
        fc.nat(),
        fc.constantFrom(...rules),
        async (rows, cut, rule) => {
          let time = 0;
          const texts = rows.map(({ step, a, b, c }) => {
            time += step;
            return `${time},${a},${b},${c}\n`;
          });
          const keep = 1 + (cut % texts.length);
          const options = { rule, time: 't:s', values: 'temperature,smoke_density,b=temperature', warmup: '0' };
          const header = 't,temperature,smoke_density,b\n';
          const all = await run({ ...options, csv: write('whole.csv', header + texts.join('')) });
          const part = await run({ ...options, csv: write('part.csv', header + texts.slice(0, keep).join('')) });
          expect(part.lines).toEqual(all.lines.slice(0, keep + 1));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('gives no alarm and no NaN on a constant recording, whatever the preset', async () => {
    const csv = write('still.csv', `t,a,b\n${Array.from({ length: 900 }, (_, at) => `${at * 60},20,0.5\n`).join('')}`);
    for (const { id, definition } of PRESETS) {
      const values = ruleKind(definition.type)!.inputs(definition).length > 0 ? 'a=temperature,b=smoke_density' : 'a,b';
      const { lines, alarms } = await run({ rule: id, csv, time: 't:s', values, warmup: '400' });
      expect(alarms, id).toBe(0);
      expect(lines, id).toHaveLength(501);
      for (const line of lines.slice(1)) expect(line, id).toMatch(/^\d+,0,,[\d.e-]+$/);
    }
  });

  it('is refused with what is wrong and how to mend it', async () => {
    const csv = write('plain.csv', 't,v\n1,1\n2,2\n');
    const good = { rule: HOT, csv, time: 't:s', values: 'v=temperature' };
    const refused: [changes: Record<string, unknown>, code: string, text: string][] = [
      [{ rule: 'preset:none' }, 'FIRE_RULE_INVALID', 'preset:fire-fusion'],
      [{ rule: 'no-such-file.yaml' }, 'FIRE_RULE_INVALID', 'no-such-file.yaml'],
      [{ rule: write('odd.yaml', 'type: magic\n') }, 'FIRE_RULE_INVALID', 'magic'],
      [{ rule: write('half.yaml', 'type: threshold\nmetric: temperature\n') }, 'FIRE_RULE_INVALID', 'limit'],
      [{ rule: write('list.yaml', '- 1\n') }, 'FIRE_RULE_INVALID', 'one rule'],
      [{ rule: write('broken.yaml', 'a: [\n') }, 'FIRE_RULE_INVALID', 'broken.yaml'],
      [{ rule: 'preset:heat-detector:fire' }, 'FIRE_BACKTEST_METRICS', 'no metric'],
      [{ values: 'v' }, 'FIRE_BACKTEST_METRICS', 'temperature'],
      [{ values: 'w' }, 'FIRE_BACKTEST_COLUMN', '"v"'],
      [{ time: undefined }, 'FIRE_REQUEST_INVALID', '--time'],
      [{ csv: undefined }, 'FIRE_REQUEST_INVALID', '--csv'],
      [{ warmup: 'some' }, 'FIRE_REQUEST_INVALID', '--warmup'],
      [{ warmup: '9' }, 'FIRE_BACKTEST_EMPTY', '2 rows'],
      [{ csv: write('empty.csv', 't,v\n') }, 'FIRE_BACKTEST_EMPTY', '0 rows'],
      [{ out: join(folder, 'no', 'such', 'folder.csv') }, 'FIRE_BACKTEST_FILE', 'folder.csv'],
    ];
    for (const [changes, code, text] of refused)
      await expect(backtestCommand({ ...good, ...changes }, deps), text).rejects.toEqual(
        expect.objectContaining({ code, message: expect.stringContaining(text) }),
      );
  });

  it('takes a preset with changed parameters, and the one rule of an export, from a file', async () => {
    const csv = write('warmer.csv', 't,v\n1,20\n2,66\n3,20\n');
    const options = { csv, time: 't:s', values: 'v=temperature' };
    const changed = write('changed.yaml', 'id: preset:heat-detector:heat\nlimit: 65\n');
    expect((await run({ ...options, rule: 'preset:heat-detector:heat' })).alarms).toBe(0);
    expect((await run({ ...options, rule: changed })).alarms).toBe(1);
    const exported = write(
      'export.yaml',
      'format: 1\nrules:\n  - { id: mine, type: threshold, mode: shadow, scope: {}, metric: temperature, direction: above, limit: 60, hysteresis: 1, forMs: 0 }\n',
    );
    expect((await run({ ...options, rule: exported })).alarms).toBe(1);
  });
});
