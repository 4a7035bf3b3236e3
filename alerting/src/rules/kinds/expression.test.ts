import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driveKind, type Given } from '../../testing/drive-kind.ts';
import { type ExpressionRule, expression } from './expression.ts';

const rule: ExpressionRule = {
  ...{ id: 'x', type: 'expression', class: 'supervisory', zh: '空转', en: 'Idle', source: { zh: '试', en: 'Test' } },
  ...{
    metrics: ['current', 'flow'],
    expression: 'current > 20 && flow < 1',
    clear: 'current < 15 || flow > 2',
    forMs: 0,
  },
};
const current = (time: number, value: number): Given => ({ time, input: 0, value });
const flow = (time: number, value: number): Given => ({ time, input: 1, value });

function refusal(changes: Partial<ExpressionRule>): string {
  const parsed = expression.params.safeParse({ ...rule, ...changes });
  return parsed.success
    ? ''
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

describe('the expression', () => {
  it('raises on the metrics of one message together, and clears by its own condition', () => {
    const drive = driveKind(expression, rule);
    drive.give(current(1000, 30));
    drive.wait(1500);
    expect(drive.raised()).toBe(false);
    // The old flow with the new current would hold; the message as a whole does not.
    drive.give(flow(2000, 0.5), current(2000, 10), flow(3000, 5), current(3000, 30), flow(4000, 0.5));
    drive.wait(5000);
    expect(drive.turns).toEqual([{ time: 4001, outcome: 'raise', level: null }]);
    expect(drive.sentence()).toEqual({
      zh: '条件成立:current > 20 && flow < 1(电流 30 A、流量 0.5 L/s)',
      en: 'Condition holds: current > 20 && flow < 1 (Current 30 A, Flow 0.5 L/s)',
    });
    drive.give(current(6000, 18));
    drive.wait(7000);
    expect(drive.raised()).toBe(true);
    drive.give(current(8000, 14));
    drive.wait(9000);
    expect(drive.raised()).toBe(false);
  });

  it('waits for its duration, and starts anew when a row in between does not hold', () => {
    const drive = driveKind(expression, { ...rule, forMs: 10_000 });
    drive.give(flow(0, 0), current(1000, 30), current(5000, 10), current(6000, 30));
    drive.wait(15_999);
    expect(drive.turns).toEqual([]);
    drive.wait(16_000);
    expect(drive.turns).toEqual([{ time: 16_000, outcome: 'raise', level: null }]);
  });

  it('knows how old each value is', () => {
    const drive = driveKind(expression, {
      ...rule,
      expression: 'current > 20 && flow_age > 60',
      clear: 'flow_age < 1',
    });
    drive.give(flow(0, 0), current(30_000, 30), current(61_000, 30));
    drive.wait(62_000);
    expect(drive.turns.map(({ time }) => time)).toEqual([61_001]);
  });

  it('says where an expression is wrong', () => {
    expect(refusal({ expression: 'current > 20 &&\n  flwo < 1' })).toBe(
      'expression: line 2, column 3: Unknown variable: flwo',
    );
    expect(refusal({ expression: 'current >' })).toMatch(/^expression: line 1, column 10: /);
    expect(refusal({ expression: 'current + flow' })).toMatch(/gives double, not true or false/);
    expect(refusal({ clear: 'flow' })).toMatch(/^clear: line 1, column 1: gives double/);
    expect(refusal({ metrics: ['a b'] })).toMatch(/^metrics\.0: /);
    expect(refusal({ expression: 'current * 2 > 5 + flow / 3 || max(current, 1) == 3' })).toBe('');
  });

  it('reaches nothing but numbers, and costs no more than its length', () => {
    for (const text of [
      'current.constructor == flow',
      'constructor == flow',
      '"a" == "a"',
      'dyn(current).constructor == 1',
      '[1, 2].all(x, x > 0)',
      '"a".matches("(a+)+$")',
      'string(current) == string(flow)',
      '{"a": 1}.a == 1',
      'timestamp("2020-01-01T00:00:00Z") == timestamp("2020-01-01T00:00:00Z")',
      `current > 1 ${'&& current > 1 '.repeat(60)}`,
      `${'('.repeat(100)}true${')'.repeat(100)}`,
      `true ${' '.repeat(600)}`,
    ])
      expect(refusal({ expression: text }), text).not.toBe('');
  });

  it('throws what cannot be answered, and goes on when it can', () => {
    const drive = driveKind(expression, {
      ...rule,
      expression: '1 / 0 > 0 && current > 20',
      metrics: ['current'],
      clear: 'current < 1',
    });
    expect(() => drive.give(current(1000, 30))).toThrow();
    expect(() => drive.give(current(2000, 10))).not.toThrow();
  });

  it('does not care for the order within a millisecond, for restarts, nor for a metric that is missing', () => {
    const rows = fc.array(
      fc.record({
        wait: fc.constantFrom(1, 1000, 9000, 20_000),
        current: fc.option(fc.constantFrom(10, 17, 30), { nil: null }),
        flow: fc.option(fc.constantFrom(0, 1.5, 5), { nil: null }),
      }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(rows, fc.constantFrom(0, 10_000), fc.integer({ min: 0, max: 25 }), (given, forMs, at) => {
        const forth = driveKind(expression, { ...rule, forMs });
        const back = driveKind(expression, { ...rule, forMs });
        let time = 0;
        for (const [index, row] of given.entries()) {
          time += row.wait;
          const readings = [
            ...(row.current === null ? [] : [current(time, row.current)]),
            ...(row.flow === null ? [] : [flow(time, row.flow)]),
          ];
          forth.give(...readings);
          back.give(...readings.reverse());
          if (index === at) back.restart();
        }
        forth.wait(time + 1e5);
        back.wait(time + 1e5);
        expect(back.turns).toEqual(forth.turns);
      }),
      { numRuns: 200 },
    );
  });
});
