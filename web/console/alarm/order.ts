import { ALARM_CLASSES, ALARM_STATES, type Alarm, type AlarmClass, type AlarmState } from '@smart-fire/core';

/** What the duty list is narrowed to. Empty sets = everything. Fires and fire-grade warnings are never narrowed. */
export interface AlarmFilter {
  classes: ReadonlySet<AlarmClass>;
  states: ReadonlySet<AlarmState>;
  text: string;
}

export interface AlarmCounts {
  classes: Record<AlarmClass, number>;
  states: Record<AlarmState, number>;
  unacknowledged: number;
}

export interface DutyList {
  /** All fires and fire-grade early warnings, whatever the filter says. */
  fires: Alarm[];
  others: Alarm[];
  /** How many the filter leaves out: said beside the list, so that nothing is hidden without a number. */
  hidden: number;
}

export function isUnacknowledged(alarm: Alarm): boolean {
  return alarm.state === 'active-unacknowledged' || alarm.state === 'cleared-unacknowledged';
}

export function isActive(alarm: Alarm): boolean {
  return alarm.state === 'active-unacknowledged' || alarm.state === 'active-acknowledged';
}

/** A fire, or an early warning of level fire: shown first, never filtered, sounded as a fire. Its class stays what it is. */
export function isTopPriority({ class: name, level }: Pick<Alarm, 'class' | 'level'>): boolean {
  return name === 'fire' || level === 'fire';
}

const CLASS_RANK = new Map(ALARM_CLASSES.map((name, rank) => [name, rank]));
const STATE_RANK = new Map(ALARM_STATES.map((name, rank) => [name, rank]));

const rank = (alarm: Alarm) => (isTopPriority(alarm) ? 0 : CLASS_RANK.get(alarm.class)!);

/** Most urgent class first, fire-grade warnings among the fires, unacknowledged before acknowledged, then newest; ids settle ties so that rows never jump. */
export function compareAlarms(a: Alarm, b: Alarm): number {
  return (
    rank(a) - rank(b) ||
    Number(isUnacknowledged(b)) - Number(isUnacknowledged(a)) ||
    STATE_RANK.get(a.state)! - STATE_RANK.get(b.state)! ||
    b.raisedAt - a.raisedAt ||
    (a.id < b.id ? -1 : 1)
  );
}

/** The duty page's list. `textOf` gives what a search looks through. */
export function dutyList(alarms: Iterable<Alarm>, filter: AlarmFilter, textOf: (alarm: Alarm) => string): DutyList {
  const fires: Alarm[] = [];
  const others: Alarm[] = [];
  let hidden = 0;
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const alarm of alarms) {
    if (alarm.state === 'closed') continue;
    if (isTopPriority(alarm)) fires.push(alarm);
    else if (matches(alarm, filter, words, textOf)) others.push(alarm);
    else hidden++;
  }
  return { fires: fires.sort(compareAlarms), others: others.sort(compareAlarms), hidden };
}

function matches(alarm: Alarm, filter: AlarmFilter, words: string[], textOf: (alarm: Alarm) => string): boolean {
  if (filter.classes.size > 0 && !filter.classes.has(alarm.class)) return false;
  if (filter.states.size > 0 && !filter.states.has(alarm.state)) return false;
  if (words.length === 0) return true;
  const text = textOf(alarm).toLowerCase();
  return words.every((word) => text.includes(word));
}

export function countAlarms(alarms: Iterable<Alarm>): AlarmCounts {
  const counts: AlarmCounts = {
    classes: Object.fromEntries(ALARM_CLASSES.map((name) => [name, 0])) as AlarmCounts['classes'],
    states: Object.fromEntries(ALARM_STATES.map((name) => [name, 0])) as AlarmCounts['states'],
    unacknowledged: 0,
  };
  for (const alarm of alarms) {
    if (alarm.state === 'closed') continue;
    counts.classes[alarm.class]++;
    counts.states[alarm.state]++;
    if (isUnacknowledged(alarm)) counts.unacknowledged++;
  }
  return counts;
}
