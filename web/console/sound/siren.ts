import { ALARM_CLASSES, type AlarmClass } from '@smart-fire/core';

/**
 * The siren of one seat as a state chart, without any sound in it.
 * `blocked`: the browser has not yet allowed sound (it needs a click first). `armed`: quiet, because nothing waits for acknowledgement.
 * `sounding`: an unacknowledged alarm. `silenced`: a person quietened what sounds now; the next new alarm or fire repeat sounds again.
 * Silencing acknowledges nothing.
 */
export type SirenState = 'blocked' | 'armed' | 'sounding' | 'silenced';

export interface Siren {
  unlocked: boolean;
  silenced: boolean;
  /** Unacknowledged alarms: id → class and how often it was raised or repeated. */
  waiting: ReadonlyMap<string, Waiting>;
  /** What has sounded here already: a snapshot may come in parts, and must not sound for what was known before it. */
  known: ReadonlyMap<string, Waiting>;
}

export interface Waiting {
  /** Whose tone it has: its class's, or the fire's for an early warning of level fire. */
  class: AlarmClass;
  count: number;
}

export type SirenEvent =
  | { type: 'unlocked' }
  | { type: 'locked' }
  | { type: 'silence' }
  /** Alarms as they are now; `null` = it no longer waits for acknowledgement (or is gone). */
  | { type: 'changed'; alarms: ReadonlyMap<string, Waiting | null> }
  /** All alarms anew, after a resynchronisation: what was already known does not sound again. */
  | { type: 'snapshot'; waiting: ReadonlyMap<string, Waiting> };

export const initialSiren: Siren = { unlocked: false, silenced: false, waiting: new Map(), known: new Map() };

/** Pure step of the chart. */
export function stepSiren(siren: Siren, event: SirenEvent): Siren {
  switch (event.type) {
    case 'unlocked':
      return { ...siren, unlocked: true };
    case 'locked':
      return { ...siren, unlocked: false };
    case 'silence':
      return siren.waiting.size > 0 ? { ...siren, silenced: true } : siren;
    case 'changed': {
      const waiting = new Map(siren.waiting);
      const known = new Map(siren.known);
      for (const [id, now] of event.alarms) {
        if (now) waiting.set(id, now);
        else if (waiting.delete(id)) known.delete(id);
      }
      return settle(siren, waiting, known, event.alarms);
    }
    case 'snapshot':
      return settle(siren, event.waiting, new Map(siren.known), event.waiting);
  }
}

function settle(
  siren: Siren,
  waiting: ReadonlyMap<string, Waiting>,
  known: Map<string, Waiting>,
  changed: ReadonlyMap<string, Waiting | null>,
): Siren {
  let news = false;
  for (const [id, now] of changed) {
    if (!now) continue;
    news ||= isNews(known.get(id), now);
    known.set(id, now);
  }
  return { ...siren, waiting, known, silenced: siren.silenced && waiting.size > 0 && !news };
}

/** What was not waiting before, what has become more urgent, and a fire that came again. */
function isNews(before: Waiting | undefined, now: Waiting): boolean {
  if (before === undefined) return true;
  if (ALARM_CLASSES.indexOf(now.class) < ALARM_CLASSES.indexOf(before.class)) return true;
  return now.class === 'fire' && now.count > before.count;
}

export function sirenState(siren: Siren): SirenState {
  if (!siren.unlocked) return 'blocked';
  if (siren.waiting.size === 0) return 'armed';
  return siren.silenced ? 'silenced' : 'sounding';
}

/** The most urgent class that waits: whose tone is played. */
export function soundingClass(siren: Siren): AlarmClass | null {
  if (sirenState(siren) !== 'sounding') return null;
  const classes = new Set([...siren.waiting.values()].map((waiting) => waiting.class));
  return ALARM_CLASSES.find((name) => classes.has(name)) ?? null;
}
