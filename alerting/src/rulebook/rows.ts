import { ALARM_CLASSES, LEVELS, type MaintenanceRecord, WITHHELD_REASONS, type WithheldRecord } from '@smart-fire/core';
import { type MaintenanceTable, ruleScope, type WithheldTable } from '@smart-fire/core/node';
import { z } from 'zod';

const words = z.object({
  class: z.enum(ALARM_CLASSES),
  level: z.enum(LEVELS).nullable(),
  why: z.enum(WITHHELD_REASONS),
});
const sentence = z.object({ zh: z.string(), en: z.string() });

export function windowFromRow(row: MaintenanceTable): MaintenanceRecord {
  return {
    ...{ id: row.id, scope: ruleScope.parse(JSON.parse(row.scope)), from: row.from_at, to: row.to_at },
    ...{ reason: row.reason, by: row.announced_by, createdAt: row.created_at, endedBy: row.ended_by },
  };
}

/** One withheld condition as it is kept in memory while it lasts. */
export interface OpenWithheld extends WithheldRecord {
  /** Journal number of the last raise or end: what a replay brings again is not counted again. */
  lastNo: number;
}

export function withheldFromRow(row: WithheldTable): OpenWithheld {
  const { id, cause, rule, maintenance, device, point, site, zone, count } = row;
  return {
    ...{ id, cause, rule, maintenance, device, point, site, zone, count, ...words.parse(row) },
    ...{ raisedAt: row.raised_at, overAt: row.over_at, lastNo: row.last_no },
    explanation: sentence.parse(JSON.parse(row.explanation)),
  };
}

export function withheldToRow({ raisedAt, overAt, lastNo, explanation, ...same }: OpenWithheld): WithheldTable {
  const json = JSON.stringify(explanation);
  return { ...same, raised_at: raisedAt, over_at: overAt, last_no: lastNo, explanation: json };
}
