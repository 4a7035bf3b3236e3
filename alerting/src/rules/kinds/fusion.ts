import type { RuleDefinition } from '@smart-fire/core';
import { z } from 'zod';
import { type FireEvidence, type FireScales, rising, weigh } from '../models/fire-evidence.ts';
import { GONE_MS, placeOf } from '../models/fire-places.ts';
import { FIRE_METRICS, follow, SENSOR_SIZE } from '../models/fire-sensor.ts';
import { duration } from './duration.ts';
import { ARM, CLEAR, NOTHING, type Outcome, RAISE, type RuleKind } from './kind.ts';

export interface FusionRule extends RuleDefinition, FireScales {
  type: 'fusion';
  freshMs: number;
  clearMs: number;
  sensors: number;
  learn: boolean;
}

/** Offsets: phase (NaN = fresh), when to judge (NaN = not asked for), listened time since when all is calm (NaN = it is not), last scores. */
const PHASE = 0;
const DUE = 1;
const CALM = 2;
const EARLY_SCORE = 3;
const FIRE_SCORE = 4;
const SENSORS = 5;

const QUIET = 0;
const EARLY = 1;
const FIRE = 2;

/**
 * Fire from ordinary sensors, before a detector's verdict: how far every thermometer, smoke meter and CO cell of a zone has left its own
 * usual value, weighed together. It needs no learning: the first reading is a usual value to begin with, and falling ones mend it.
 * Judged when all of a millisecond has come, so the order of its readings does not matter.
 */
export const fusion: RuleKind<FusionRule> = {
  type: 'fusion',
  zh: '多参量火灾融合',
  en: 'Fire fusion',
  params: z.object({
    heatBurst: z
      .number()
      .positive()
      .meta({ zh: '单凭温度预警:1 分钟内温升', en: 'Heat alone, early: rise within a minute', unit: 'K' }),
    heatRise: z.number().positive().meta({ zh: '单凭温度:较平时温升', en: 'Heat alone: rise above usual', unit: 'K' }),
    smoke: z
      .number()
      .positive()
      .meta({ zh: '单凭烟雾预警:较平时升高', en: 'Smoke alone, early: rise above usual', unit: 'dB/m' }),
    co: z
      .number()
      .positive()
      .meta({ zh: '单凭一氧化碳预警:较平时升高', en: 'CO alone, early: rise above usual', unit: 'ppm' }),
    freshMs: z.number().int().positive().meta({ zh: '读数有效期', en: 'A reading counts for', unit: 'ms' }),
    clearMs: z.number().int().nonnegative().meta({ zh: '恢复前的平静时间', en: 'Calm before it clears', unit: 'ms' }),
    sensors: z
      .number()
      .int()
      .min(1)
      .max(64)
      .meta({ zh: '每个分区同时监视的传感器数', en: 'Sensors of a zone watched at a time', unit: '' }),
    learn: z.boolean().default(true).meta({ zh: '跟随平时值', en: 'Follow the usual value', unit: '' }),
  }),
  subject: 'zone',
  inputs: () => FIRE_METRICS,
  stateSize: (rule) => SENSORS + rule.sensors * SENSOR_SIZE,

  step(state, offset, rule, stimulus) {
    if (stimulus.input < 0) return NOTHING;
    const { source, input, value, time } = stimulus;
    const first = offset + SENSORS;
    const at = placeOf(state, first, first + rule.sensors * SENSOR_SIZE, source, input, value, time);
    if (at < 0) return NOTHING;
    if (Number.isNaN(state[offset + PHASE]!)) {
      state[offset + PHASE] = QUIET;
      state[offset + EARLY_SCORE] = state[offset + FIRE_SCORE] = 0;
    }
    follow(state, at, input, value, time, stimulus.learn && rule.learn !== false);
    const quiet = state[offset + PHASE] === QUIET;
    if (quiet && state[offset + EARLY_SCORE] === 0 && !rising(state, at)) return NOTHING;
    const { early, fire } = look(state, offset, rule);
    state[offset + EARLY_SCORE] = early;
    state[offset + FIRE_SCORE] = fire;
    if (!Number.isNaN(state[offset + DUE]!) || !turns(state, offset, rule, stimulus.now)) return NOTHING;
    state[offset + DUE] = stimulus.now + 1;
    return ARM;
  },

  wakeAt: (state, offset) => (state[offset + DUE]! > 0 ? state[offset + DUE]! : Infinity),

  wake(state, offset, rule, now) {
    state[offset + DUE] = NaN;
    return judge(state, offset, rule, now);
  },

  raised: (state, offset) => state[offset + PHASE]! > QUIET,
  level: (state, offset) =>
    state[offset + PHASE] === FIRE ? 'fire' : state[offset + PHASE] === EARLY ? 'early' : null,
  score: (state, offset) => state[offset + EARLY_SCORE]! || 0,

  evidence(state, offset, rule) {
    const { burst, rise, smoke, co, early, fire } = look(state, offset, rule);
    return {
      burst,
      rise,
      smoke,
      co,
      early,
      fire,
      windowMs: burst / rule.heatBurst >= rise / rule.heatRise ? 60_000 : 3_600_000,
    };
  },

  explain(rule, evidence) {
    const { burst = 0, rise = 0, smoke = 0, co = 0, fire = 0, windowMs = 0 } = evidence;
    const quick = windowMs <= 60_000;
    const zh: string[] = [];
    const en: string[] = [];
    const heat = quick ? burst : rise;
    if (heat >= 1) {
      zh.push(`温度${quick ? '1 分钟内' : '较平时'}升高 ${heat.toFixed(0)} K`);
      en.push(`temperature up ${heat.toFixed(0)} K ${quick ? 'within a minute' : 'above usual'}`);
    }
    if (smoke >= 0.005) {
      zh.push(`烟雾较平时高 ${smoke.toPrecision(2)} dB/m`);
      en.push(`smoke ${smoke.toPrecision(2)} dB/m above usual`);
    }
    if (co >= 5) {
      zh.push(`一氧化碳较平时高 ${co.toFixed(0)} ppm`);
      en.push(`CO ${co.toFixed(0)} ppm above usual`);
    }
    const fresh = duration(rule.freshMs);
    if (zh.length === 0)
      return {
        zh: `${fresh.zh}内温度、烟雾、一氧化碳均无异常`,
        en: `Temperature, smoke and CO as usual over ${fresh.en}`,
      };
    return {
      zh: `${zh.join(',')}:${fire >= 1 ? '传感器一致指向火灾' : '像是起火初期'}`,
      en: `${sentence(en.join(', '))}: ${fire >= 1 ? 'the sensors agree on a fire' : 'as at the beginning of a fire'}`,
    };
  },
};

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function look(state: Float64Array, offset: number, rule: FusionRule): FireEvidence {
  // A sensor that burns no longer reports: while raised, what it said last holds.
  const freshMs = state[offset + PHASE]! > QUIET ? GONE_MS : rule.freshMs;
  return weigh(state, offset + SENSORS, offset + SENSORS + rule.sensors * SENSOR_SIZE, freshMs, rule);
}

function isCalm(state: Float64Array, offset: number): boolean {
  return state[offset + EARLY_SCORE]! < 0.5 && state[offset + FIRE_SCORE]! < 0.5;
}

/** Whether a judgement now would change anything. */
function turns(state: Float64Array, offset: number, rule: FusionRule, now: number): boolean {
  const phase = state[offset + PHASE]!;
  if (phase < FIRE && state[offset + FIRE_SCORE]! >= 1) return true;
  if (phase === QUIET) return state[offset + EARLY_SCORE]! >= 1;
  const since = state[offset + CALM]!;
  return isCalm(state, offset) ? Number.isNaN(since) || now - since >= rule.clearMs : !Number.isNaN(since);
}

function judge(state: Float64Array, offset: number, rule: FusionRule, now: number): Outcome {
  const { early, fire } = look(state, offset, rule);
  state[offset + EARLY_SCORE] = early;
  state[offset + FIRE_SCORE] = fire;
  if (!turns(state, offset, rule, now)) return NOTHING;
  if (fire >= 1 && state[offset + PHASE]! < FIRE) return enter(state, offset, FIRE, RAISE);
  if (state[offset + PHASE] === QUIET) return enter(state, offset, EARLY, RAISE);
  if (!isCalm(state, offset)) {
    state[offset + CALM] = NaN;
    return NOTHING;
  }
  if (Number.isNaN(state[offset + CALM]!)) state[offset + CALM] = now;
  return now - state[offset + CALM]! >= rule.clearMs ? enter(state, offset, QUIET, CLEAR) : NOTHING;
}

function enter(state: Float64Array, offset: number, phase: number, outcome: Outcome): Outcome {
  state[offset + PHASE] = phase;
  state[offset + CALM] = NaN;
  return outcome;
}
