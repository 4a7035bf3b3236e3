import { metricWords, type RuleDefinition } from '@smart-fire/core';
import { z } from 'zod';
import { type Condition, NAME, parseCondition } from '../models/condition.ts';
import { duration } from './duration.ts';
import { ARM, CLEAR, NOTHING, type Outcome, RAISE, type RuleKind } from './kind.ts';

export interface ExpressionRule extends RuleDefinition {
  type: 'expression';
  metrics: string[];
  expression: string;
  clear?: string;
  forMs: number;
}

/** Offsets: phase (NaN = fresh), listened time of the row at hand, when to turn (NaN = not about to); then value and listened time of each metric. */
const PHASE = 0;
const ROW = 1;
const DUE = 2;
const VALUES = 3;

const QUIET = 0;
const RAISED = 1;

interface Compiled {
  raise: Condition;
  clear: Condition;
  /** What the expressions see: value and age of each metric. Used again. */
  values: Record<string, number>;
}

/** Parsed once per definition, which never changes; nothing else is kept here. */
const COMPILED = new WeakMap<ExpressionRule, Compiled>();

/**
 * What no other kind covers: an expression in CEL over the latest metrics of one device and their ages. It is judged when a message of the
 * device is complete and every metric has been heard at least once, never by the mere passing of time (that is what absence is for).
 */
export const expression: RuleKind<ExpressionRule> = {
  type: 'expression',
  zh: '表达式',
  en: 'Expression',
  params: z
    .object({
      metrics: z.array(z.string().regex(NAME)).min(1).max(8).meta({ zh: '指标', en: 'Metrics', unit: '' }),
      expression: z.string().min(1).meta({
        zh: '条件(CEL):指标名为其数值,“指标名_age”为其时效(s)',
        en: 'Condition (CEL): a metric by its name, its age in s as name_age',
        unit: '',
      }),
      clear: z.string().min(1).optional().meta({
        zh: '恢复条件(CEL);空 = 条件不再成立',
        en: 'Clears when (CEL); empty = when the condition no longer holds',
        unit: '',
      }),
      forMs: z.number().int().nonnegative().default(0).meta({ zh: '持续时间', en: 'Minimum duration', unit: 'ms' }),
    })
    .superRefine(({ metrics, expression, clear }, context) => {
      for (const [field, text] of Object.entries({ expression, clear })) {
        const parsed = text === undefined ? null : parseCondition(text, namesOf(metrics));
        if (parsed === null || typeof parsed === 'function') continue;
        const { line, column } = placeOf(text!, parsed.at);
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `line ${line}, column ${column}: ${parsed.message}`,
        });
      }
    }),
  subject: 'device',
  inputs: (rule) => rule.metrics,
  stateSize: (rule) => VALUES + 2 * rule.metrics.length,

  step(state, offset, rule, { input, value, now }) {
    if (input < 0) return NOTHING;
    if (Number.isNaN(state[offset + PHASE]!)) state[offset + PHASE] = QUIET;
    // The row before is complete now: a wait ends with one that does not hold.
    const row = state[offset + ROW]!;
    const due = state[offset + DUE]!;
    if (due > 0 && row < now) {
      state[offset + DUE] = NaN;
      if (turns(state, offset, rule, row)) state[offset + DUE] = due;
    }
    state[offset + ROW] = now;
    state[offset + VALUES + 2 * input] = value;
    state[offset + VALUES + 2 * input + 1] = now;
    if (state[offset + DUE]! > 0 || !turns(state, offset, rule, now)) return NOTHING;
    state[offset + DUE] = now + Math.max(1, state[offset + PHASE] === RAISED ? 0 : rule.forMs);
    return ARM;
  },

  wakeAt: (state, offset) => (state[offset + DUE]! > 0 ? state[offset + DUE]! : Infinity),

  wake(state, offset, rule, now): Outcome {
    state[offset + DUE] = NaN;
    if (!turns(state, offset, rule, now)) return NOTHING;
    const raised = state[offset + PHASE] === RAISED;
    state[offset + PHASE] = raised ? QUIET : RAISED;
    return raised ? CLEAR : RAISE;
  },

  raised: (state, offset) => state[offset + PHASE] === RAISED,
  score: (state, offset) => (state[offset + PHASE] === RAISED ? 1 : state[offset + DUE]! > 0 ? 0.5 : 0),

  evidence(state, offset, rule) {
    const evidence: Record<string, number> = { windowMs: rule.forMs };
    for (const [index, metric] of rule.metrics.entries()) evidence[metric] = state[offset + VALUES + 2 * index]!;
    return evidence;
  },

  explain(rule, evidence) {
    const figures = (language: 'zh' | 'en') =>
      rule.metrics
        .filter((metric) => !Number.isNaN(evidence[metric] ?? NaN))
        .map((metric) => {
          const words = metricWords(metric);
          return `${words[language]} ${Number(evidence[metric]!.toPrecision(6))}${words.unit && ` ${words.unit}`}`;
        })
        .join(language === 'zh' ? '、' : ', ');
    const held = duration(rule.forMs);
    return {
      zh: `条件成立:${rule.expression}${rule.forMs > 0 ? `,已持续 ${held.zh}以上` : ''}(${figures('zh') || '尚无数据'})`,
      en: `Condition holds: ${rule.expression}${rule.forMs > 0 ? ` for ${held.en} or more` : ''} (${figures('en') || 'no data yet'})`,
    };
  },
};

/** Whether the condition that would end the present phase holds. Unknown metrics end nothing. Throws what the expression throws. */
function turns(state: Float64Array, offset: number, rule: ExpressionRule, now: number): boolean {
  const { raise, clear, values } = compiled(rule);
  for (let index = 0; index < rule.metrics.length; index++) {
    const metric = rule.metrics[index]!;
    const at = offset + VALUES + 2 * index;
    if (Number.isNaN(state[at]!)) return false;
    values[metric] = state[at]!;
    values[ageOf(metric)] = (now - state[at + 1]!) / 1000;
  }
  return state[offset + PHASE] === RAISED ? clear(values) : raise(values);
}

function compiled(rule: ExpressionRule): Compiled {
  let found = COMPILED.get(rule);
  if (!found) {
    const raise = condition(rule, rule.expression);
    const clear =
      rule.clear === undefined ? (values: Compiled['values']) => !raise(values) : condition(rule, rule.clear);
    found = { raise, clear, values: {} };
    COMPILED.set(rule, found);
  }
  return found;
}

function condition(rule: ExpressionRule, text: string): Condition {
  const parsed = parseCondition(text, namesOf(rule.metrics));
  if (typeof parsed !== 'function') throw new Error(parsed.message);
  return parsed;
}

const ageOf = (metric: string) => `${metric}_age`;

function namesOf(metrics: readonly string[]): string[] {
  return [...new Set(metrics.flatMap((metric) => [metric, ageOf(metric)]))];
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
