import type { RuleDefinition } from '@smart-fire/core';
import { presetRules, SENSOR_KINDS, seeded } from '@smart-fire/core/sensors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownRule, TWO_HOT } from '../../testing/own-rule.ts';
import { RULE_KINDS, ruleKind } from './index.ts';
import { CLEAR, HOLD, NOTHING, type Outcome, RAISE, type RuleKind } from './kind.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 5);

/** Definitions of a kind: the presets', and one of our own where there are none. */
function definitionsOf(type: string): RuleDefinition[] {
  const own: Record<string, RuleDefinition> = {
    vote: TWO_HOT.definition,
    expression: ownRule('e', {
      ...{ type: 'expression', metrics: ['temperature', 'co'], expression: 'temperature > 50.0 && co > 20.0' },
    }).definition,
  };
  const presets = presetRules(SENSOR_KINDS).map(({ definition }) => definition);
  const given = [...presets.filter((one) => one.type === type), ...(own[type] ? [own[type]] : [])];
  return given.map((one) => filledIn(ruleKind(type)!, one));
}

/** What a recording or a place fills in, and what is left out. */
function filledIn(kind: RuleKind, definition: RuleDefinition): RuleDefinition {
  // Soon taught, so that there is something to judge.
  const taught = 'warmUp' in definition ? { ...definition, warmUp: 40 } : definition;
  const whole = { ...taught, ...(kind.params.parse(taught) as object) };
  if (kind.inputs(whole).length > 0 || kind.subject === 'device') {
    if (kind.inputs(whole).length > 0 || !('metrics' in whole)) return whole;
    return { ...whole, metrics: ['pressure', 'flow', 'current'] };
  }
  return { ...whole, metric: 'temperature' };
}

/** A state of a kind as the engine keeps it: somewhere in a longer array, forgotten when it is as good as fresh. */
class Drive {
  raised = false;
  outcomes: string[] = [];
  readonly #kind: RuleKind;
  readonly #rule: RuleDefinition;
  readonly #size: number;
  #state: Float64Array;
  #offset = 0;
  readonly #forgets: boolean;

  constructor(kind: RuleKind, rule: RuleDefinition, forgets: boolean) {
    this.#kind = kind;
    this.#rule = rule;
    this.#size = kind.stateSize(rule);
    this.#state = new Float64Array(this.#size).fill(NaN);
    this.#forgets = forgets;
  }

  step(input: number, source: number, value: number, time: number): void {
    this.wait(time);
    const stimulus = { input, source, value, time, now: time, learn: true };
    this.#take(this.#kind.step(this.#state, this.#offset, this.#rule, stimulus), time);
  }

  wait(until: number): void {
    for (let wakes = 0; ; wakes++) {
      const due = this.#kind.wakeAt(this.#state, this.#offset, this.#rule);
      if (!(due <= until)) return;
      expect(wakes).toBeLessThan(1000);
      this.#take(this.#kind.wake(this.#state, this.#offset, this.#rule, due, -1), due);
    }
  }

  restart(): void {
    const moved = new Float64Array(this.#offset + this.#size + 5).fill(7);
    moved.set(this.#state.subarray(this.#offset, this.#offset + this.#size), this.#offset + 5);
    this.#state = moved;
    this.#offset += 5;
  }

  get score(): number {
    return this.#kind.score(this.#state, this.#offset, this.#rule);
  }

  #take(outcome: Outcome, time: number): void {
    const kind = this.#kind;
    if (outcome === CLEAR) expect(this.raised).toBe(true);
    if (outcome === RAISE) this.raised = true;
    if (outcome === CLEAR) this.raised = false;
    if (outcome !== HOLD) expect(kind.raised(this.#state, this.#offset)).toBe(this.raised);
    expect(this.score).toBeGreaterThanOrEqual(0);
    const level = kind.level?.(this.#state, this.#offset) ?? null;
    if (kind.level) expect(level !== null).toBe(this.raised);
    if (outcome === RAISE || outcome === CLEAR) this.outcomes.push(`${time - START} ${outcome} ${level}`);
    if (outcome === RAISE) this.#speak(time);
    const fresh = Number.isNaN(this.#state[this.#offset]!);
    if (fresh && this.#size > 0) expect(this.raised).toBe(false);
    if (fresh && this.#forgets) this.#state.fill(NaN, this.#offset, this.#offset + this.#size);
  }

  #speak(now: number): void {
    const evidence = this.#kind.evidence(this.#state, this.#offset, this.#rule, now);
    expect(evidence.windowMs).toBeGreaterThanOrEqual(0);
    const { zh, en } = this.#kind.explain(this.#rule, evidence);
    expect(zh).toMatch(/\p{Script=Han}/u);
    expect(en).toMatch(/^[^\p{Script=Han}]{10,}$/u);
    for (const text of [zh, en]) expect(text).not.toMatch(/NaN|undefined|Infinity/);
  }
}

interface Row {
  gap: number;
  values: number[];
  restart: boolean;
}

const row: fc.Arbitrary<Row> = fc.record({
  gap: fc.constantFrom(1000, 10_000, MINUTE, 10 * MINUTE, 6 * 60 * MINUTE),
  values: fc.array(fc.oneof(fc.constantFrom(0, 20, 21, 60, 300), fc.double({ min: -50, max: 1000, noNaN: true })), {
    ...{ minLength: 1, maxLength: 5 },
  }),
  restart: fc.boolean(),
});

interface Story {
  seed: number;
  base: number;
  noise: number;
  /** Of the base, for each row of the second half, and back again at the end. */
  ramp: number;
  restarts: number[];
}

const story: fc.Arbitrary<Story> = fc.record({
  ...{ seed: fc.nat(1000), base: fc.constantFrom(1, 10, 100, 300), noise: fc.constantFrom(0, 0.001, 0.05) },
  ...{ ramp: fc.constantFrom(0, 0.02, -0.02, 0.3, -0.3), restarts: fc.array(fc.nat(199), { maxLength: 10 }) },
});

/** An ordinary time and then a change that stays for a while, at the pace of the rule's own window. */
function told(rule: RuleDefinition, { seed, base, noise, ramp, restarts }: Story): Row[] {
  const random = seeded(seed);
  const gap = 'windowMs' in rule ? Math.max(1000, Math.round(Number(rule.windowMs) / 20)) : MINUTE;
  return Array.from({ length: 200 }, (_, at) => {
    const away = at < 100 ? 0 : ramp * (at < 180 ? at - 100 : 0);
    const value = () => base * (1 + away + noise * (random() - 0.5));
    return { gap, values: [value(), value(), value()], restart: restarts.includes(at) };
  });
}

/** Rows of all inputs of two detectors; a few are missing. */
function play(kind: RuleKind, rule: RuleDefinition, rows: readonly Row[], drive: Drive): Drive {
  const inputs = Math.max(1, kind.inputs(rule).length);
  let time = START;
  for (const { gap, values, restart } of rows) {
    time += gap;
    for (const [at, value] of values.entries()) {
      const heard = kind.inputs(rule).length === 0;
      drive.step(heard ? -1 : at % inputs, at < inputs ? 3 : 9, value, time);
      if (kind.subject === 'series') break;
    }
    if (restart) drive.restart();
  }
  drive.wait(time + 60 * MINUTE);
  return drive;
}

describe.each(Object.keys(RULE_KINDS))('a rule of kind %s', (type) => {
  const kind = ruleKind(type)!;
  const definitions = definitionsOf(type);

  it('has a definition to be tried with, names for people, and parameters that say what they are', () => {
    expect(definitions.length).toBeGreaterThan(0);
    expect(kind.zh).toMatch(/\p{Script=Han}/u);
    expect(kind.en).toMatch(/^[A-Z]/);
  });

  it('raises and clears in turn, never has a score that is no number, and explains itself in both languages', () => {
    fc.assert(
      fc.property(fc.constantFrom(...definitions), fc.array(row, { maxLength: 60 }), story, (rule, rows, one) => {
        play(kind, rule, rows, new Drive(kind, rule, false));
        play(kind, rule, told(rule, one), new Drive(kind, rule, false));
      }),
      { numRuns: 25 },
    );
  });

  it('speaks at all', () => {
    const ramps = [0.3, -0.3, 0.02, -0.02].flatMap((ramp) => [10, 100, 300].map((base) => ({ ramp, base })));
    const turns = definitions.flatMap((rule) =>
      ramps.flatMap((one) => {
        const rows = told(rule, { seed: 1, noise: 0.05, restarts: [], ...one });
        return play(kind, rule, rows, new Drive(kind, rule, false)).outcomes;
      }),
    );
    // A verdict is the device's own word, and comes as an event.
    if (type !== 'verdict') expect(turns.length).toBeGreaterThan(0);
  });

  it('does the same after restarts, and when its state is forgotten where it is as good as fresh', () => {
    fc.assert(
      fc.property(fc.constantFrom(...definitions), fc.array(row, { maxLength: 60 }), story, (rule, random, one) => {
        for (const rows of [random, told(rule, one)]) {
          const still = rows.map((each) => ({ ...each, restart: false }));
          const expected = play(kind, rule, still, new Drive(kind, rule, false)).outcomes;
          expect(play(kind, rule, rows, new Drive(kind, rule, true)).outcomes).toEqual(expected);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('finds nothing in constant values that are within every limit', () => {
    for (const rule of definitions) {
      const inputs = kind.inputs(rule).length;
      if (inputs === 0) continue;
      const drive = new Drive(kind, rule, true);
      const quiet =
        rule.type === 'threshold' && rule.direction === 'below' ? 1e6 : rule.type === 'threshold' ? -1e6 : 0.1;
      for (let i = 0; i < 800; i++) {
        for (let input = 0; input < inputs; input++) drive.step(input, 3, quiet, START + i * MINUTE);
        expect(drive.score).toBeGreaterThanOrEqual(0);
      }
      expect(drive.outcomes, rule.id).toEqual([]);
    }
  });

  it('leaves a fresh state fresh, and asks for nothing, at the values that it calls quiet', () => {
    const value = (low: number, high: number) =>
      fc.oneof(
        fc.constantFrom(low, high).filter(Number.isFinite),
        fc.double({ min: low, max: high, noNaN: true, noDefaultInfinity: true }),
      );
    for (const rule of kind.quiet ? definitions : []) {
      expect([kind.subject, kind.inputs(rule).length]).toEqual(['series', 1]);
      fc.assert(
        fc.property(value(...kind.quiet!(rule)), fc.nat(), (one, now) => {
          const state = new Float64Array(kind.stateSize(rule)).fill(NaN);
          const stimulus = { input: 0, source: 3, value: one, time: START + now, now, learn: true };
          expect(kind.step(state, 0, rule, stimulus)).toBe(NOTHING);
          expect(state[0]).toBeNaN();
        }),
      );
    }
  });
});
