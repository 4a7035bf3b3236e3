import type { Alarm, AlarmState, ErrorCode, Level, Verdict } from '@smart-fire/core';

/** What can happen to an alarm; `at` in ms UTC, `by` a person's name. */
export type AlarmAction =
  | { type: 'repeat'; at: number; level?: Level | null; explanation?: Alarm['explanation'] }
  | { type: 'clear'; at: number }
  | { type: 'acknowledge'; at: number; by: string; reason: string }
  | { type: 'verify'; at: number; by: string; verdict: Verdict }
  | { type: 'close'; at: number; by: string };

/**
 * The state chart of an alarm after ISA-18.2, pure: the alarm after the action with its version grown by one, the same object when
 * the action changes nothing, or the code of the refusal.
 * - A fire latches: only a verdict and a close end it. Other classes close by themselves once cleared and acknowledged.
 * - A repeat of a fire withdraws the acknowledgement, and a verdict other than `real-fire`: it was given before this signal.
 * - A level only rises. One that rises to fire is a new signal like the repeat of a fire, and says so in its sentence.
 * - A rule's alarm cannot be closed while its condition is there; what a device declared can, after a verdict (a broken device never restores).
 */
export function step(alarm: Alarm, action: AlarmAction): Alarm | ErrorCode {
  if (alarm.state === 'closed') return action.type === 'clear' ? alarm : 'FIRE_ALARM_CLOSED';
  const active = isActive(alarm);
  const acknowledged = isAcknowledged(alarm);
  const fire = alarm.class === 'fire';
  const changed = { ...alarm, version: alarm.version + 1 };
  switch (action.type) {
    case 'repeat': {
      const risen = action.level === 'fire' && alarm.level !== 'fire';
      const again = fire || risen;
      const withdrawn = again
        ? {
            acknowledgedBy: null,
            acknowledgedAt: null,
            acknowledgeReason: null,
            ...(alarm.verdict !== 'real-fire' && { verdict: null, verifiedBy: null, verifiedAt: null }),
          }
        : {};
      const state = stateOf(true, acknowledged && !again);
      const level = risen ? 'fire' : (alarm.level ?? action.level ?? null);
      const explanation = (risen && action.explanation) || alarm.explanation;
      return {
        ...changed,
        ...withdrawn,
        level,
        explanation,
        state,
        count: alarm.count + 1,
        repeatedAt: action.at,
        clearedAt: null,
      };
    }
    case 'clear':
      if (!active) return alarm;
      return end({ ...changed, state: stateOf(false, acknowledged), clearedAt: action.at }, action.at);
    case 'acknowledge':
      return end(
        {
          ...changed,
          state: stateOf(active, true),
          acknowledgedBy: action.by,
          acknowledgedAt: action.at,
          acknowledgeReason: action.reason,
        },
        action.at,
      );
    case 'verify':
      return { ...changed, verdict: action.verdict, verifiedBy: action.by, verifiedAt: action.at };
    case 'close': {
      const refusal = closeRefusal(alarm);
      return refusal ?? { ...changed, state: 'closed', closedBy: action.by, closedAt: action.at };
    }
  }
}

export function isActive(alarm: Alarm): boolean {
  return alarm.state === 'active-unacknowledged' || alarm.state === 'active-acknowledged';
}

function isAcknowledged(alarm: Alarm): boolean {
  return alarm.state === 'active-acknowledged' || alarm.state === 'cleared-acknowledged';
}

function stateOf(active: boolean, acknowledged: boolean): AlarmState {
  return `${active ? 'active' : 'cleared'}-${acknowledged ? 'acknowledged' : 'unacknowledged'}`;
}

/** Closes by itself (`closedBy` null) what is cleared and acknowledged, fire excepted. */
function end(alarm: Alarm, at: number): Alarm {
  if (alarm.class === 'fire' || alarm.state !== 'cleared-acknowledged') return alarm;
  return { ...alarm, state: 'closed', closedAt: at };
}

function closeRefusal(alarm: Alarm): ErrorCode | null {
  const active = isActive(alarm);
  if (active && alarm.rule !== null) return 'FIRE_ALARM_STILL_ACTIVE';
  if (alarm.verdict !== null) return null;
  if (alarm.class === 'fire') return 'FIRE_ALARM_VERDICT_REQUIRED';
  if (!isAcknowledged(alarm)) return 'FIRE_ALARM_NOT_ACKNOWLEDGED';
  return active ? 'FIRE_ALARM_STILL_ACTIVE' : null;
}
