import { ALARM_CLASSES, ALARM_STATES, type Alarm, type AlarmEntry, LEVELS, VERDICTS } from '@smart-fire/core';
import type { AlarmEntryTable, AlarmTable } from '@smart-fire/core/node';
import { z } from 'zod';

const words = z.object({
  class: z.enum(ALARM_CLASSES),
  state: z.enum(ALARM_STATES),
  level: z.enum(LEVELS).nullable(),
  verdict: z.enum(VERDICTS).nullable(),
});
const action = z.enum(['raised', 'repeated', 'cleared', 'acknowledged', 'verified', 'closed']);
const sentence = z.object({ zh: z.string(), en: z.string() });
const record = z.record(z.string(), z.unknown());

export function alarmToRow(alarm: Alarm): AlarmTable {
  const { cause, device, point, site, zone, rule, event, count, verdict, version } = alarm;
  return {
    id: alarm.id,
    cause,
    class: alarm.class,
    level: alarm.level,
    state: alarm.state,
    device,
    point,
    site,
    zone,
    rule,
    event,
    raised_at: alarm.raisedAt,
    received_at: alarm.receivedAt,
    repeated_at: alarm.repeatedAt,
    cleared_at: alarm.clearedAt,
    count,
    acknowledged_by: alarm.acknowledgedBy,
    acknowledged_at: alarm.acknowledgedAt,
    acknowledge_reason: alarm.acknowledgeReason,
    verdict,
    verified_by: alarm.verifiedBy,
    verified_at: alarm.verifiedAt,
    closed_by: alarm.closedBy,
    closed_at: alarm.closedAt,
    opened_no: alarm.openedNo,
    explanation: JSON.stringify(alarm.explanation),
    version,
  };
}

/** The columns that change after an alarm was opened. */
export const CHANGING = [
  'level',
  'explanation',
  'state',
  'repeated_at',
  'cleared_at',
  'count',
  'acknowledged_by',
  'acknowledged_at',
  'acknowledge_reason',
  'verdict',
  'verified_by',
  'verified_at',
  'closed_by',
  'closed_at',
  'version',
] as const satisfies (keyof AlarmTable)[];

export function alarmFromRow(row: AlarmTable): Alarm {
  const { id, cause, device, point, site, zone, rule, event, count, version } = row;
  return {
    id,
    cause,
    ...words.parse(row),
    device,
    point,
    site,
    zone,
    rule,
    event,
    raisedAt: row.raised_at,
    receivedAt: row.received_at,
    repeatedAt: row.repeated_at,
    clearedAt: row.cleared_at,
    count,
    acknowledgedBy: row.acknowledged_by,
    acknowledgedAt: row.acknowledged_at,
    acknowledgeReason: row.acknowledge_reason,
    verifiedBy: row.verified_by,
    verifiedAt: row.verified_at,
    closedBy: row.closed_by,
    closedAt: row.closed_at,
    openedNo: row.opened_no,
    explanation: sentence.parse(JSON.parse(row.explanation)),
    version,
    saved: true,
  };
}

export function entryToRow(entry: AlarmEntry): AlarmEntryTable {
  return { ...entry, detail: JSON.stringify(entry.detail) };
}

export function entryFromRow(row: AlarmEntryTable): AlarmEntry {
  return { ...row, action: action.parse(row.action), detail: record.parse(JSON.parse(row.detail)) };
}
