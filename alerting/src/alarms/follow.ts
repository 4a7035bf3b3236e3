import type { Alarm, AlarmEntry } from '@smart-fire/core';
import type { Effect } from '../rules/effect.ts';
import { step } from './lifecycle.ts';
import { openAlarm } from './opening.ts';

/** An alarm after something happened to it, and the line of its timeline that says so. */
export interface Followed {
  alarm: Alarm;
  entry: AlarmEntry;
}

/** What an effect of the engine makes of its cause's unclosed alarm (or of none); null = nothing changes. Pure. */
export function follow(current: Alarm | undefined, effect: Effect, saved: boolean): Followed | null {
  const unclosed = current?.state === 'closed' ? undefined : current;
  if (effect.type === 'raise' && !unclosed) {
    const alarm = openAlarm(effect, saved);
    return { alarm, entry: entryOf(alarm, effect, 'raised') };
  }
  if (!unclosed) return null;
  const at = effect.receivedAt;
  const next =
    effect.type === 'raise'
      ? step(unclosed, { type: 'repeat', at, level: effect.level, explanation: effect.explanation })
      : step(unclosed, { type: 'clear', at });
  if (typeof next === 'string' || next === unclosed) return null;
  const alarm = next.saved === saved ? next : { ...next, saved };
  return { alarm, entry: entryOf(alarm, effect, effect.type === 'raise' ? 'repeated' : 'cleared') };
}

function entryOf(alarm: Alarm, effect: Effect, action: AlarmEntry['action']): AlarmEntry {
  const closed = alarm.state === 'closed' ? { closed: true } : {};
  return {
    alarm: alarm.id,
    version: alarm.version,
    at: effect.receivedAt,
    action,
    actor: null,
    detail: { no: effect.no, ...effect.detail, ...closed },
  };
}
