import type { AlarmClass } from './event.ts';
import type { Level } from './rule.ts';

/**
 * States of an alarm after ISA-18.2 / IEC 62682: active or cleared, crossed with unacknowledged or acknowledged, and closed.
 * A fire alarm latches: clearing never closes it, only a person's verdict and close do.
 */
export const ALARM_STATES = [
  'active-unacknowledged',
  'active-acknowledged',
  'cleared-unacknowledged',
  'cleared-acknowledged',
  'closed',
] as const;
export type AlarmState = (typeof ALARM_STATES)[number];

/** 真实火警 · 误报 · 测试 · 维保 */
export const VERDICTS = ['real-fire', 'false-alarm', 'test', 'maintenance'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What needs a person to act. One unclosed alarm per cause. Times are integer ms UTC. */
export interface Alarm {
  /** UUIDv5 of the cause, the opening journal number and the time of arrival. */
  id: string;
  /** `{rule id | event class or event}:{device}:{point}` */
  cause: string;
  class: AlarmClass;
  /** Of rules that know levels; it only rises while the alarm is unclosed. */
  level: Level | null;
  state: AlarmState;
  device: string;
  point: string;
  site: string;
  zone: string | null;
  /** Rule id, or null when the device itself declared it. */
  rule: string | null;
  /** The event word the device declared, or null when a rule raised it. */
  event: string | null;
  /** Time of the reading or event that opened it (device time where that is trusted). */
  raisedAt: number;
  /** Our own clock when that message arrived. */
  receivedAt: number;
  /** When the last repeat arrived (our clock). */
  repeatedAt: number;
  clearedAt: number | null;
  count: number;
  acknowledgedBy: string | null;
  acknowledgedAt: number | null;
  acknowledgeReason: string | null;
  verdict: Verdict | null;
  verifiedBy: string | null;
  verifiedAt: number | null;
  closedBy: string | null;
  closedAt: number | null;
  /** Number of the journal entry that opened it. */
  openedNo: number;
  /** One sentence for people, in both languages, made when it was raised. */
  explanation: { zh: string; en: string };
  /** Grows by one with every change; an act names the version it saw. */
  version: number;
  /** False while the state store could not be reached, or what led to it could not be journalled: shown as "not saved". */
  saved: boolean;
}

/** What happened to an alarm, in order: its timeline. */
export interface AlarmEntry {
  alarm: string;
  version: number;
  at: number;
  action: 'raised' | 'repeated' | 'cleared' | 'acknowledged' | 'verified' | 'closed';
  actor: string | null;
  detail: Record<string, unknown>;
}
