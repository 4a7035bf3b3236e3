import type { Generated } from 'kysely';

/**
 * Tables of the state store. Portable between SQLite and PostgreSQL: text, integers (ms UTC), doubles and JSON kept as text.
 * Booleans are 0/1. Every table is written through Kysely only.
 */
export interface StateTables {
  area: AreaTable;
  site: SiteTable;
  zone: ZoneTable;
  device: DeviceTable;
  person: PersonTable;
  session: SessionTable;
  token: TokenTable;
  alarm: AlarmTable;
  alarm_entry: AlarmEntryTable;
  audit: AuditTable;
  rule: RuleTable;
  rule_version: RuleVersionTable;
  maintenance: MaintenanceTable;
  withheld: WithheldTable;
  /** Small named values: format version, engine cursor, set-up token hash… */
  setting: { name: string; value: string };
  /** The engine's rule state at a journal number: `alerting` is its head, `alerting.{generation}.{n}` its parts. */
  checkpoint: { name: string; no: number; format: number; saved_at: number; data: Uint8Array };
  mqtt_session: { client: string; subscriptions: string; updated_at: number };
  mqtt_queue: {
    id: Generated<number>;
    client: string;
    message_id: number | null;
    packet: Uint8Array;
    queued_at: number;
  };
  mqtt_retained: { topic: string; packet: Uint8Array; updated_at: number };
  mqtt_will: { client: string; packet: Uint8Array };
}

export interface AreaTable {
  id: string;
  parent: string | null;
  level: string;
  name: string;
  code: string | null;
  path: string;
}

export interface SiteTable {
  id: string;
  area: string;
  name: string;
  address: string;
  /** JSON of Contact[]. */
  contacts: string;
  path: string;
}

export interface ZoneTable {
  id: string;
  site: string;
  name: string;
}

export interface DeviceTable {
  id: string;
  kind: string;
  name: string;
  site: string;
  zone: string | null;
  gateway: string | null;
  location: string;
  disabled: number;
  /** SHA-256 of the secret, hex. */
  secret_hash: string;
  created_at: number;
}

export interface PersonTable {
  id: string;
  username: string;
  name: string;
  /** argon2id, PHC string. */
  password_hash: string;
  role: string;
  scope: string;
  disabled: number;
  valid_until: number | null;
  created_at: number;
}

export interface SessionTable {
  /** SHA-256 of the cookie's value, hex. */
  id_hash: string;
  person: string;
  created_at: number;
  expires_at: number;
}

export interface TokenTable {
  id: string;
  /** SHA-256 of the token, hex. */
  hash: string;
  person: string;
  name: string;
  created_at: number;
  expires_at: number | null;
}

export interface AlarmTable {
  id: string;
  cause: string;
  class: string;
  level: string | null;
  state: string;
  device: string;
  point: string;
  site: string;
  zone: string | null;
  rule: string | null;
  event: string | null;
  raised_at: number;
  received_at: number;
  repeated_at: number;
  cleared_at: number | null;
  count: number;
  acknowledged_by: string | null;
  acknowledged_at: number | null;
  acknowledge_reason: string | null;
  verdict: string | null;
  verified_by: string | null;
  verified_at: number | null;
  closed_by: string | null;
  closed_at: number | null;
  opened_no: number;
  /** JSON {zh, en}. */
  explanation: string;
  version: number;
}

export interface AlarmEntryTable {
  alarm: string;
  version: number;
  at: number;
  action: string;
  actor: string | null;
  /** JSON. */
  detail: string;
}

/** Append-only and hash-chained: hash = SHA-256(previous hash ‖ canonical JSON of the row). Triggers refuse UPDATE and DELETE. */
export interface AuditTable {
  no: number;
  at: number;
  actor: string;
  action: string;
  subject: string;
  /** JSON. */
  detail: string;
  previous: string;
  hash: string;
}

/** What people made of a preset, or a rule of their own. */
export interface RuleTable {
  id: string;
  version: number;
  /** JSON; null = a preset as we ship it again, or a deleted rule: only its version lives on. */
  document: string | null;
  changed_at: number;
  changed_by: string;
}

export interface RuleVersionTable {
  rule: string;
  version: number;
  at: number;
  actor: string;
  action: string;
  /** JSON of the whole rule as of this version; null = deleted. */
  document: string | null;
}

export interface MaintenanceTable {
  id: string;
  /** JSON of Scope. */
  scope: string;
  from_at: number;
  to_at: number;
  reason: string;
  announced_by: string;
  created_at: number;
  ended_by: string | null;
}

/** Raises that became no alarm: of rules in shadow, outside their schedule, in maintenance. */
export interface WithheldTable {
  id: string;
  cause: string;
  why: string;
  rule: string;
  maintenance: string | null;
  class: string;
  level: string | null;
  device: string;
  point: string;
  site: string;
  zone: string | null;
  raised_at: number;
  over_at: number | null;
  count: number;
  last_no: number;
  /** JSON {zh, en}. */
  explanation: string;
}
