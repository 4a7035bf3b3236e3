import type { RuleDefinition } from '@smart-fire/core';
import { CLEAR, type Outcome, RAISE, type RuleKind } from '../rules/kinds/kind.ts';

/** A reading as a kind of rule gets it; `source` is 1 when left out. */
export interface Given {
  time: number;
  input: number;
  value: number;
  source?: number;
}

export interface Turn {
  time: number;
  outcome: 'raise' | 'clear';
  level: string | null;
}

export interface KindDrive {
  state: Float64Array;
  turns: Turn[];
  give(...readings: Given[]): void;
  /** Time passes without readings. */
  wait(until: number): void;
  /** As a checkpoint and a restart do: the same numbers elsewhere. */
  restart(): void;
  raised(): boolean;
  sentence(): { zh: string; en: string };
}

/** Drives one state of a kind as the engine does: whoever asked to be woken is woken before anything later comes. */
export function driveKind<Rule extends RuleDefinition>(kind: RuleKind<Rule>, rule: Rule, learn = true): KindDrive {
  let offset = 0;
  let now = 0;
  const size = kind.stateSize(rule);
  const drive: KindDrive = {
    state: new Float64Array(size).fill(NaN),
    turns: [],
    give(...readings) {
      for (const { time, input, value, source = 1 } of readings) {
        drive.wait(time);
        record(time, kind.step(drive.state, offset, rule, { input, source, value, time, now: time, learn }));
      }
    },
    wait(until) {
      for (;;) {
        const due = kind.wakeAt(drive.state, offset, rule);
        if (!(due <= until)) break;
        record(due, kind.wake(drive.state, offset, rule, due, -1));
        if (kind.wakeAt(drive.state, offset, rule) === due) throw new Error('asks to be woken again at once');
      }
      now = Math.max(now, until);
    },
    restart() {
      const moved = new Float64Array(offset + size + 3).fill(NaN);
      moved.set(drive.state.subarray(offset, offset + size), offset + 3);
      drive.state = moved;
      offset += 3;
    },
    raised: () => kind.raised(drive.state, offset),
    sentence: () => kind.explain(rule, kind.evidence(drive.state, offset, rule, now)),
  };
  function record(time: number, outcome: Outcome): void {
    if (outcome !== RAISE && outcome !== CLEAR) return;
    const level = kind.level?.(drive.state, offset) ?? null;
    drive.turns.push({ time, outcome: outcome === RAISE ? 'raise' : 'clear', level });
  }
  return drive;
}
