import type { Alarm, AlarmEntry, Verdict } from '../model/alarm.ts';

/** Who acts, and on which version they looked (409 FIRE_ALARM_CHANGED when it has moved on; undefined = whatever is current). */
export interface Act {
  actor: { id: string; name: string };
  version: number | undefined;
}

/**
 * The alarms. Unclosed ones live in memory and are the live truth; every change and its audit row go to the state store in one transaction.
 * Acts reject with FIRE_NOT_FOUND, FIRE_ALARM_CHANGED, FIRE_ALARM_CLOSED, FIRE_ALARM_…, FIRE_STATE_UNAVAILABLE, and then change nothing.
 */
export interface AlarmBook {
  /** All unclosed alarms, most urgent class first, then newest. */
  unclosed(): Alarm[];
  get(id: string): Promise<Alarm | null>;
  /** Newest first. `before` is an exclusive [raisedAt, id] position. */
  list(query: AlarmQuery): Promise<Alarm[]>;
  timeline(id: string): Promise<AlarmEntry[]>;
  acknowledge(id: string, act: Act & { reason: string }): Promise<Alarm>;
  verify(id: string, act: Act & { verdict: Verdict; note: string }): Promise<Alarm>;
  close(id: string, act: Act & { note: string }): Promise<Alarm>;
  /** Called for every change, in order; the alarm given is not changed afterwards. */
  onChange(listener: (alarm: Alarm, action: AlarmEntry['action']) => void): () => void;
}

export interface AlarmQuery {
  /** Path prefix of what may be seen. */
  scope: string;
  site?: string | undefined;
  device?: string | undefined;
  classes?: string[] | undefined;
  states?: string[] | undefined;
  from?: number | undefined;
  to?: number | undefined;
  before?: { raisedAt: number; id: string } | undefined;
  limit: number;
}
