import type { AlarmClass, Level } from '@smart-fire/core';
import type { Sentence } from './kinds/kind.ts';

interface Base {
  /** Number of the journal entry that caused it. */
  no: number;
  /** `{rule id | event word}:{device}:{point}`; of a rule on zones `{rule id}:{zone}:`. */
  cause: string;
  /** Time of the reading or event (device time where that is trusted), else of the entry that showed that time had passed. */
  time: number;
  /** `receivedAt` of the entry. */
  receivedAt: number;
  /** The rule is only tried out: nothing of it reaches the alarm book. */
  shadow: boolean;
  /** Figures for the timeline. */
  detail: Record<string, unknown>;
}

/** The condition of a cause is there: a new alarm, or a repeat of the unclosed one. */
export interface RaiseEffect extends Base {
  type: 'raise';
  class: AlarmClass;
  level: Level | null;
  device: string;
  point: string;
  site: string;
  zone: string | null;
  rule: string | null;
  event: string | null;
  explanation: Sentence;
}

/** The condition of a cause is gone. */
export interface ClearEffect extends Base {
  type: 'clear';
}

/** What the engine tells the alarm book. */
export type Effect = RaiseEffect | ClearEffect;
