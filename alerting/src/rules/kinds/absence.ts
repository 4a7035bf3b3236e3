import type { AbsenceRule } from '@smart-fire/core';
import { z } from 'zod';
import { duration } from './duration.ts';
import { ARM, CLEAR, HOLD, NOTHING, RAISE, type RuleKind } from './kind.ts';

/** Offsets, all in hearing time (see `ListenedClock`): when last heard (NaN = never), until when this device's children are given the benefit, and the phase. */
const HEARD = 0;
const SETTLED = 1;
const PHASE = 2;

/** Phases; a positive one is the hearing time at which a child that was held is judged for good. */
const HELD = -1;
const RAISED = -2;

/**
 * Silence, counted only while we listened and took telemetry. A device that was never heard raises nothing.
 * A child whose time is up is held until its gateway is heard: a lost gateway thus takes its children along without a word from them.
 * When the gateway is heard again a held child gets as long as the gateway was silent (at most its own limit) to report.
 */
export const absence: RuleKind<AbsenceRule> & {
  /** The gateway has been heard, or there is none any more (`upstream` -1): judge a held child soon. */
  release(state: Float64Array, offset: number, rule: AbsenceRule, now: number, upstream: number): boolean;
  held(state: Float64Array, offset: number): boolean;
  everHeard(state: Float64Array, offset: number): boolean;
} = {
  type: 'absence',
  zh: '失联',
  en: 'Absence of data',
  params: z.object({
    afterMs: z.number().int().positive().meta({ zh: '未收到数据的时间', en: 'Time without data', unit: 'ms' }),
  }),
  subject: 'device',
  inputs: () => [],
  stateSize: () => 3,

  step(state, offset, _rule, { now }) {
    const heard = state[offset + HEARD]!;
    const gap = now - heard;
    if (gap === 0) return NOTHING;
    // Not through Math.max: NaN (never heard) must not stick.
    if (!(state[offset + SETTLED]! >= now + gap)) state[offset + SETTLED] = gap > 0 ? now + gap : now;
    state[offset + HEARD] = now;
    const phase = state[offset + PHASE]!;
    if (Number.isNaN(phase)) return Number.isNaN(heard) ? ARM : NOTHING;
    state[offset + PHASE] = NaN;
    return phase === RAISED ? CLEAR : ARM;
  },

  wakeAt(state, offset, rule) {
    const phase = state[offset + PHASE]!;
    if (phase < 0 || Number.isNaN(state[offset + HEARD]!)) return Infinity;
    return Number.isNaN(phase) ? state[offset + HEARD]! + rule.afterMs : phase;
  },

  wake(state, offset, _rule, _now, upstream) {
    const watched = upstream >= 0 && !Number.isNaN(state[upstream + HEARD]!);
    const confirmed = state[offset + PHASE]! > 0;
    const gatewayGone = watched && state[upstream + PHASE]! < 0;
    if (watched && (gatewayGone || !confirmed)) {
      state[offset + PHASE] = HELD;
      return HOLD;
    }
    state[offset + PHASE] = RAISED;
    return RAISE;
  },

  release(state, offset, rule, now, upstream) {
    if (state[offset + PHASE] !== HELD) return false;
    const settled = upstream >= 0 ? state[upstream + SETTLED]! : now;
    state[offset + PHASE] = Math.max(now, Math.min(settled, now + rule.afterMs));
    return true;
  },

  held: (state, offset) => state[offset + PHASE] === HELD,
  everHeard: (state, offset) => !Number.isNaN(state[offset + HEARD]!),
  raised: (state, offset) => state[offset + PHASE] === RAISED,

  // At its limit from the moment it is raised or held: silence itself needs the time, which the state does not have.
  score: (state, offset) => (state[offset + PHASE]! < 0 ? 1 : 0),

  evidence: (state, offset, rule, now) => ({
    silentMs: now - state[offset + HEARD]!,
    afterMs: rule.afterMs,
    windowMs: now - state[offset + HEARD]!,
  }),

  explain(rule, { silentMs = NaN, affected = 0 }) {
    const silent = duration(silentMs);
    const after = duration(rule.afterMs);
    return {
      zh: `已 ${silent.zh}未收到数据(限值 ${after.zh})${affected > 0 ? `,其下 ${affected} 台设备状态未知` : ''}`,
      en: `Nothing received for ${silent.en} (limit ${after.en})${affected > 0 ? `; state of ${affected} devices behind it unknown` : ''}`,
    };
  },
};
