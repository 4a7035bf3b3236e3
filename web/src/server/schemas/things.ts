import {
  ALARM_CLASSES,
  ALARM_STATES,
  AREA_LEVELS,
  DEAD_LETTER_CODES,
  LEVELS,
  METRIC_NAMES,
  PERMISSIONS,
  ROLES,
  VERDICTS,
} from '@smart-fire/core';
import { z } from 'zod';
import { ms } from './list.ts';

// What the API answers. New fields may be added, none is ever taken away or changes its meaning.

const metric = z.enum(METRIC_NAMES as [string, ...string[]]);
export const words = z.object({ zh: z.string(), en: z.string() });

const person = z
  .object({
    id: z.string(),
    username: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    scope: z.string().describe('Path of an area or site: everything below it. `/` is the whole tree.'),
    validUntil: ms.nullable(),
  })
  .meta({ id: 'Person' });

export const session = z
  .object({
    person,
    permissions: z.array(z.enum(PERMISSIONS)),
    expiresAt: ms.nullable(),
    via: z.enum(['session', 'token']),
    timeZone: z.string().describe('IANA name of the zone days and schedules are counted in'),
    mqttPort: z.number().int().describe('Configured port of MQTT over TCP; 0 = any free port'),
  })
  .meta({ id: 'Session' });

export const user = person.extend({ disabled: z.boolean(), createdAt: ms }).meta({ id: 'User' });

export const token = z
  .object({ id: z.string(), name: z.string(), person: z.string(), createdAt: ms, expiresAt: ms.nullable() })
  .meta({ id: 'Token' });

export const area = z
  .object({
    id: z.string(),
    parent: z.string().nullable(),
    level: z.enum(AREA_LEVELS),
    name: z.string(),
    code: z.string().nullable(),
    path: z.string(),
  })
  .meta({ id: 'Area' });

const contact = z.object({ name: z.string(), post: z.string(), telephone: z.string() }).meta({ id: 'Contact' });

export const site = z
  .object({
    id: z.string(),
    area: z.string(),
    name: z.string(),
    address: z.string(),
    contacts: z.array(contact),
    path: z.string(),
  })
  .meta({ id: 'Site' });

export const zone = z.object({ id: z.string(), site: z.string(), name: z.string() }).meta({ id: 'Zone' });

export const CONDITIONS = ['normal', 'alarm', 'early-warning', 'supervisory', 'fault', 'disabled', 'unknown'] as const;

const briefStatus = z.object({
  device: z.string(),
  connected: z.boolean(),
  claimsOnline: z.boolean().nullable(),
  lastSeenAt: ms.nullable(),
  unknownSince: ms.nullable(),
  condition: z.enum(CONDITIONS),
});

export const deviceStatus = briefStatus
  .extend({
    values: z.array(
      z.object({
        point: z.string(),
        metric,
        unit: z.string(),
        value: z.number(),
        time: ms,
        receivedAt: ms,
        flags: z.number().int(),
      }),
    ),
  })
  .meta({ id: 'DeviceStatus' });

export const device = z
  .object({
    id: z.string(),
    kind: z.string(),
    name: z.string(),
    site: z.string(),
    siteName: z.string(),
    zone: z.string().nullable(),
    zoneName: z.string().nullable(),
    gateway: z.string().nullable(),
    location: z.string(),
    disabled: z.boolean(),
    createdAt: ms,
    status: briefStatus,
  })
  .meta({ id: 'Device' });

export const deviceWithSecret = z.object({ device, secret: z.string().describe('Shown this once') });

export const alarm = z
  .object({
    id: z.string(),
    cause: z.string(),
    class: z.enum(ALARM_CLASSES),
    level: z.enum(LEVELS).nullable(),
    state: z.enum(ALARM_STATES),
    device: z.string(),
    deviceName: z.string(),
    deviceKind: z.string(),
    location: z.string(),
    point: z.string(),
    site: z.string(),
    siteName: z.string(),
    address: z.string(),
    zone: z.string().nullable(),
    zoneName: z.string().nullable(),
    rule: z.string().nullable(),
    event: z.string().nullable(),
    raisedAt: ms,
    receivedAt: ms,
    repeatedAt: ms,
    clearedAt: ms.nullable(),
    count: z.number().int(),
    acknowledgedBy: z.string().nullable(),
    acknowledgedAt: ms.nullable(),
    acknowledgeReason: z.string().nullable(),
    verdict: z.enum(VERDICTS).nullable(),
    verifiedBy: z.string().nullable(),
    verifiedAt: ms.nullable(),
    closedBy: z.string().nullable(),
    closedAt: ms.nullable(),
    explanation: words,
    version: z.number().int(),
    saved: z.boolean(),
  })
  .meta({ id: 'Alarm' });

export const alarmDetail = alarm
  .extend({
    contacts: z.array(contact),
    timeline: z.array(
      z.object({
        version: z.number().int(),
        at: ms,
        action: z.enum(['raised', 'repeated', 'cleared', 'acknowledged', 'verified', 'closed']),
        actor: z.string().nullable(),
        detail: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .meta({ id: 'AlarmDetail' });

export const ruleDefinition = z
  .looseObject({
    id: z.string(),
    type: z.string(),
    class: z.enum(ALARM_CLASSES),
    zh: z.string(),
    en: z.string(),
    source: words,
  })
  .meta({ id: 'RuleDefinition' });

export const rawMessage = z
  .object({
    receivedAt: ms,
    topic: z.string(),
    payload: z.string(),
    encoding: z.enum(['utf8', 'base64']),
    qos: z.number().int(),
    outcome: z.string(),
  })
  .meta({ id: 'RawMessage' });

export const deadLetter = z
  .object({
    id: z.number().int(),
    device: z.string(),
    topic: z.string(),
    receivedAt: ms,
    code: z.enum(DEAD_LETTER_CODES),
    problems: z.array(
      z.object({
        code: z.enum(DEAD_LETTER_CODES),
        index: z.number().int().nullable(),
        path: z.string(),
        detail: z.string().optional(),
      }),
    ),
    payload: z.string(),
    encoding: z.enum(['utf8', 'base64']),
  })
  .meta({ id: 'DeadLetter' });

export const auditEntry = z
  .object({
    no: z.number().int(),
    at: ms,
    actor: z.string(),
    actorName: z.string().nullable(),
    action: z.string(),
    subject: z.string(),
    detail: z.record(z.string(), z.unknown()),
    previous: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });

export const healthItem = z
  .object({
    part: z.string(),
    level: z.enum(['ok', 'degraded', 'failed']),
    since: ms,
    sentence: words,
    figures: z.record(z.string(), z.number()),
  })
  .meta({ id: 'HealthItem' });

export const metricEntry = z
  .object({ metric, unit: z.string(), zh: z.string(), en: z.string() })
  .meta({ id: 'Metric' });

const span = z.tuple([z.number(), z.number()]);

export const sensorKind = z
  .object({
    kind: z.string(),
    zh: z.string(),
    en: z.string(),
    metrics: z.array(metricEntry.extend({ valid: span, measuring: span })),
    intervalMs: z.number(),
    rules: z.array(ruleDefinition),
  })
  .meta({ id: 'SensorKind' });
