import type {
  Alarm,
  AlarmClass,
  AlarmEntry,
  BacktestResult,
  Contact,
  Device,
  DeviceCondition,
  DeviceStatus,
  LastValue,
  MaintenanceRecord,
  Metric,
  ParameterOrigin,
  Permission,
  Person,
  RuleDefinition,
  RuleKindView,
  RuleMode,
  RuleRecord,
  RuleVersion,
  Schedule,
  Scope,
  WithheldRecord,
} from '@smart-fire/core';

import type { Schema } from '../rule/fields.ts';

/** Shapes the server adds to the core's model. Times are ms UTC. */

export interface Page<T> {
  items: T[];
  /** Cursor of the next page, null at the end. */
  next: string | null;
}

export interface Session {
  person: Pick<Person, 'id' | 'username' | 'name' | 'role' | 'scope' | 'validUntil'>;
  permissions: Permission[];
  expiresAt: number | null;
  /** The centre's time zone: what the people of one centre say to each other must agree. */
  timeZone: string;
  /** Where devices connect; 0 = any free port, which only the server's log knows. */
  mqttPort: number;
}

/** An alarm with the names a person needs. */
export interface AlarmRow extends Alarm {
  deviceName: string;
  deviceKind: string;
  location: string;
  siteName: string;
  address: string;
  zoneName: string | null;
}

export interface AlarmDetail extends AlarmRow {
  contacts: Contact[];
  timeline: Omit<AlarmEntry, 'alarm'>[];
}

export interface LiveDevice extends Omit<DeviceStatus, 'values'> {
  condition: DeviceCondition;
  values: (LastValue & { unit: string })[];
}

export interface DeviceRow extends Device {
  siteName: string;
  zoneName: string | null;
  status: Omit<LiveDevice, 'values'>;
}

export interface Limit {
  rule: string;
  class: AlarmClass;
  direction: 'above' | 'below';
  limit: number;
  hysteresis: number;
  forMs: number;
  zh: string;
  en: string;
}

/** `points` rows are [start of bucket, min, mean, max]. */
export interface History {
  metric: Metric;
  unit: string;
  points: [number, number, number, number][];
  limits: Limit[];
}

/** A rule with what became of it. Counts are of the last 30 days, errors since the server's start. */
export interface RuleRow extends RuleRecord {
  /** First of the sensor kinds it is for, '' for all. */
  kind: string;
  raised: number;
  shadowRaised: number;
  /** By its schedule or by maintenance. */
  withheld: number;
  errors: number;
  lastError: string | null;
  changedByName: string | null;
}

export interface RuleKindRow extends Omit<RuleKindView, 'schema'> {
  schema: Schema;
}

export interface VersionRow extends RuleVersion {
  actorName: string | null;
}

/** Its remarks are in the language asked for. */
export type BacktestAnswer = Omit<BacktestResult, 'remarks' | 'series'> & {
  series: (BacktestResult['series'][number] & { deviceName: string })[];
  remarks: string[];
};

export interface ShadowRow extends WithheldRecord {
  ruleName: { zh: string; en: string };
  deviceName: string;
  siteName: string;
}

export interface MaintenanceRow extends MaintenanceRecord {
  byName: string | null;
  /** What it withholds now. */
  withheld: number;
}

/** A rule as it is for one device. */
export interface EffectiveRule {
  rule: string;
  mode: RuleMode;
  schedule: Schedule | null;
  definition: RuleDefinition;
  /** Where each changed parameter comes from; what is not named is the rule's own. */
  from: Record<string, ParameterOrigin>;
}

/** What a rule holds for normal of a device now. */
export interface LearnedRange {
  point: string;
  metric: string;
  centre: number;
  low: number;
  high: number;
}

export interface BacktestInput {
  rule?: string;
  definition?: RuleDefinition;
  scope?: Scope;
  device: string;
  from: number;
  to: number;
  warmUp?: number;
}

export interface DeadLetterRow {
  id: number;
  device: string | null;
  topic: string;
  receivedAt: number;
  code: string;
  problems: { code: string; index?: number | null; path: string; detail?: string }[];
  payload: string;
  encoding: 'utf8' | 'base64';
}

export interface AuditRow {
  no: number;
  at: number;
  actor: string;
  actorName: string | null;
  action: string;
  subject: string;
  detail: unknown;
  hash: string;
}

export interface User extends Person {
  createdAt: number;
}

export interface Token {
  id: string;
  name: string;
  createdAt: number;
  expiresAt: number | null;
}
