import { metricWords, type RuleDefinition } from '@smart-fire/core';
import { z } from 'zod';
import { duration } from './duration.ts';
import { ARM, CLEAR, NOTHING, type Outcome, RAISE, type RuleKind, type Stimulus } from './kind.ts';

export interface VoteCondition {
  metric: string;
  direction: 'above' | 'below';
  limit: number;
  hysteresis: number;
}

export interface VoteRule extends RuleDefinition {
  type: 'vote';
  of: 'devices' | 'metrics';
  k: number;
  windowMs: number;
  conditions: VoteCondition[];
}

/** Offsets: phase (NaN = fresh), when to judge (NaN = not asked for), how many agreed at last. */
const PHASE = 0;
const DUE = 1;
const VOTES = 2;
const BALLOTS = 3;

const QUIET = 0;
const RAISED = 1;

/** A ballot: whose (NaN = free), and until when it counts (listened time; Infinity = its condition still holds). */
const SOURCE = 0;
const UNTIL = 1;
const BALLOT = 2;
/** Ballots kept of each condition, which is also the highest `k`: more cannot change the outcome. */
const MOST = 8;

/**
 * Several detectors of a zone, or several of its metrics, agree within a window: each counts while its condition holds and for `windowMs`
 * of listened time after that. Clears when fewer count. Judged when all of a millisecond has come, so the order of its readings does not matter.
 */
export const vote: RuleKind<VoteRule> = {
  type: 'vote',
  zh: '多探测器表决',
  en: 'Vote',
  params: z
    .object({
      of: z
        .enum(['devices', 'metrics'])
        .meta({ zh: '计数对象:探测器或指标', en: 'Count detectors or metrics', unit: '' }),
      k: z.number().int().min(1).max(MOST).meta({ zh: '至少几个一致', en: 'How many must agree', unit: '' }),
      windowMs: z.number().int().nonnegative().meta({ zh: '时间窗', en: 'Window', unit: 'ms' }),
      conditions: z
        .array(
          z.object({
            metric: z.string().min(1).meta({ zh: '指标', en: 'Metric', unit: '' }),
            direction: z.enum(['above', 'below']).meta({ zh: '方向', en: 'Direction', unit: '' }),
            limit: z.number().meta({ zh: '限值', en: 'Limit', unit: 'metric' }),
            hysteresis: z.number().nonnegative().default(0).meta({ zh: '回差', en: 'Hysteresis', unit: 'metric' }),
          }),
        )
        .min(1)
        .max(8)
        .meta({ zh: '条件', en: 'Conditions', unit: '' }),
    })
    .refine(({ of, k, conditions }) => of === 'devices' || new Set(conditions.map(({ metric }) => metric)).size >= k, {
      path: ['k'],
      message: 'more than there are metrics in the conditions',
    }),
  subject: 'zone',
  inputs: (rule) => [...new Set(rule.conditions.map(({ metric }) => metric))],
  stateSize: (rule) => BALLOTS + rule.conditions.length * MOST * BALLOT,

  step(state, offset, rule, stimulus) {
    if (stimulus.input < 0) return NOTHING;
    if (Number.isNaN(state[offset + PHASE]!)) {
      state[offset + PHASE] = QUIET;
      state[offset + VOTES] = 0;
    }
    const metric = metricAt(rule, stimulus.input);
    for (let index = 0; index < rule.conditions.length; index++)
      if (rule.conditions[index]!.metric === metric) cast(state, ballotsOf(offset, index), rule, index, stimulus);
    const votes = count(state, offset, rule, stimulus.now);
    state[offset + VOTES] = votes;
    const before = state[offset + DUE]!;
    if (state[offset + PHASE] === RAISED) state[offset + DUE] = nextEnd(state, offset, rule, stimulus.now);
    else if (votes >= rule.k && Number.isNaN(before)) state[offset + DUE] = stimulus.now + 1;
    return state[offset + DUE]! > 0 && state[offset + DUE] !== before ? ARM : NOTHING;
  },

  wakeAt: (state, offset) => (state[offset + DUE]! > 0 ? state[offset + DUE]! : Infinity),

  wake(state, offset, rule, now): Outcome {
    const votes = count(state, offset, rule, now);
    state[offset + VOTES] = votes;
    const raised = state[offset + PHASE] === RAISED;
    const agree = votes >= rule.k;
    state[offset + PHASE] = agree ? RAISED : QUIET;
    state[offset + DUE] = agree ? nextEnd(state, offset, rule, now) : NaN;
    if (agree === raised) return ARM;
    return agree ? RAISE : CLEAR;
  },

  raised: (state, offset) => state[offset + PHASE] === RAISED,
  score: (state, offset, rule) => (state[offset + VOTES]! || 0) / rule.k,

  evidence(state, offset, rule, now) {
    const evidence: Record<string, number> = { votes: state[offset + VOTES]!, k: rule.k, windowMs: rule.windowMs };
    for (const [index, condition] of rule.conditions.entries())
      evidence[`${condition.metric} ${condition.direction === 'above' ? '>' : '<'} ${condition.limit}`] = standing(
        state,
        ballotsOf(offset, index),
        now,
      );
    return evidence;
  },

  explain(rule, { votes = NaN }) {
    const window = duration(rule.windowMs);
    const words = rule.conditions.map(({ metric, direction, limit }) => {
      const { zh, en, unit } = metricWords(metric);
      const figure = `${limit}${unit && ` ${unit}`}`;
      const above = direction === 'above';
      return { zh: `${zh}${above ? '高于' : '低于'} ${figure}`, en: `${en} ${above ? 'above' : 'below'} ${figure}` };
    });
    const seen = Number.isNaN(votes) ? rule.k : votes;
    const devices = rule.of === 'devices';
    return {
      zh: `本区 ${window.zh}内有 ${seen} ${devices ? '只探测器' : '项指标'}一致(至少 ${rule.k}):${words.map(({ zh }) => zh).join('、')}`,
      en: `${seen} ${devices ? 'detectors' : 'metrics'} of the zone agree within ${window.en} (${rule.k} needed): ${words.map(({ en }) => en).join(', ')}`,
    };
  },
};

/** The `input`th different metric of the conditions, without allocating. */
function metricAt({ conditions }: VoteRule, input: number): string {
  let nth = -1;
  for (let index = 0; index < conditions.length; index++) {
    const { metric } = conditions[index]!;
    let first = 0;
    while (conditions[first]!.metric !== metric) first++;
    if (first === index && ++nth === input) return metric;
  }
  return '';
}

function ballotsOf(offset: number, condition: number): number {
  return offset + BALLOTS + condition * MOST * BALLOT;
}

function cast(state: Float64Array, first: number, rule: VoteRule, index: number, { source, value, now }: Stimulus) {
  const { direction, limit, hysteresis } = rule.conditions[index]!;
  const above = direction === 'above';
  const end = first + MOST * BALLOT;
  let own = -1;
  let free = -1;
  for (let at = first; at < end; at += BALLOT) {
    if (state[at + SOURCE] === source) own = at;
    else if (!(state[at + UNTIL]! > now)) free = at;
  }
  const held = own >= 0 && state[own + UNTIL] === Infinity;
  const slack = held ? hysteresis : 0;
  if (above ? value > limit - slack : value < limit + slack) {
    const at = own >= 0 ? own : free;
    if (at < 0) return;
    state[at + SOURCE] = source;
    state[at + UNTIL] = Infinity;
  } else if (held) state[own + UNTIL] = now + rule.windowMs;
}

/** Ballots of one condition that count. */
function standing(state: Float64Array, first: number, now: number): number {
  let count = 0;
  for (let at = first; at < first + MOST * BALLOT; at += BALLOT) if (state[at + UNTIL]! > now) count++;
  return count;
}

function count(state: Float64Array, offset: number, rule: VoteRule, now: number): number {
  let votes = 0;
  for (let index = 0; index < rule.conditions.length; index++) {
    const first = ballotsOf(offset, index);
    if (rule.of === 'devices') {
      for (let at = first; at < first + MOST * BALLOT; at += BALLOT)
        if (state[at + UNTIL]! > now && !counted(state, offset, index, state[at + SOURCE]!, now)) votes++;
    } else if (standing(state, first, now) > 0) {
      let earlier = 0;
      const { metric } = rule.conditions[index]!;
      while (
        earlier < index &&
        !(rule.conditions[earlier]!.metric === metric && standing(state, ballotsOf(offset, earlier), now) > 0)
      )
        earlier++;
      if (earlier === index) votes++;
    }
  }
  return votes;
}

/** Whether the source counts under a condition before `index` already. */
function counted(state: Float64Array, offset: number, index: number, source: number, now: number): boolean {
  for (let at = offset + BALLOTS; at < ballotsOf(offset, index); at += BALLOT)
    if (state[at + SOURCE] === source && state[at + UNTIL]! > now) return true;
  return false;
}

/** When the next ballot that no longer holds stops to count; Infinity when all hold. */
function nextEnd(state: Float64Array, offset: number, rule: VoteRule, now: number): number {
  let end = Infinity;
  for (let at = offset + BALLOTS; at < ballotsOf(offset, rule.conditions.length); at += BALLOT)
    if (state[at + UNTIL]! > now && state[at + UNTIL]! < end) end = state[at + UNTIL]!;
  return end;
}
