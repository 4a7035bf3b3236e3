import { type Kysely, sql } from 'kysely';

/** Format of the state store this program writes; a newer one stops the start with FIRE_FORMAT_UNKNOWN. */
export const STATE_FORMAT = 2;

/** Steps from an empty store to the current format; step i leads from format i to i + 1. Never edited once released, only added to. */
export const MIGRATIONS: ((db: Kysely<unknown>) => Promise<void>)[] = [fromNothing, rules];

async function fromNothing(db: Kysely<unknown>): Promise<void> {
  const run = async (statement: string) => {
    await sql.raw(statement).execute(db);
  };
  await run('create table setting (name text primary key, value text not null)');
  await run(`create table area (id text primary key, parent text references area (id), level text not null, name text not null,
    code text unique, path text not null unique)`);
  await run(`create table site (id text primary key, area text not null references area (id), name text not null, address text not null,
    contacts text not null, path text not null unique)`);
  await run('create table zone (id text primary key, site text not null references site (id), name text not null)');
  await run(`create table device (id text primary key, kind text not null, name text not null, site text not null references site (id),
    zone text references zone (id), gateway text references device (id), location text not null, disabled integer not null,
    secret_hash text not null, created_at integer not null)`);
  await run('create index device_site on device (site)');
  await run('create index device_gateway on device (gateway)');
  await run(`create table person (id text primary key, username text not null unique, name text not null, password_hash text not null,
    role text not null, scope text not null, disabled integer not null, valid_until integer, created_at integer not null)`);
  await run(`create table session (id_hash text primary key, person text not null references person (id) on delete cascade,
    created_at integer not null, expires_at integer not null)`);
  await run(`create table token (id text primary key, hash text not null unique, person text not null references person (id) on delete cascade,
    name text not null, created_at integer not null, expires_at integer)`);
  await run(`create table alarm (id text primary key, cause text not null, class text not null, state text not null, device text not null,
    point text not null, site text not null, zone text, rule text, event text, raised_at integer not null, received_at integer not null,
    repeated_at integer not null, cleared_at integer, count integer not null, acknowledged_by text, acknowledged_at integer,
    acknowledge_reason text, verdict text, verified_by text, verified_at integer, closed_by text, closed_at integer,
    opened_no integer not null, explanation text not null, version integer not null)`);
  // The rule itself, kept by the store: one unclosed alarm per cause.
  await run(`create unique index alarm_unclosed on alarm (cause) where state <> 'closed'`);
  await run('create index alarm_raised on alarm (raised_at, id)');
  await run('create index alarm_device on alarm (device, raised_at)');
  await run('create index alarm_site on alarm (site, raised_at)');
  await run(`create table alarm_entry (alarm text not null references alarm (id), version integer not null, at integer not null,
    action text not null, actor text, detail text not null, primary key (alarm, version))`);
  await run(`create table audit (no integer primary key, at integer not null, actor text not null, action text not null, subject text not null,
    detail text not null, previous text not null, hash text not null)`);
  await run('create index audit_subject on audit (subject, no)');
  for (const verb of ['update', 'delete'])
    await run(
      `create trigger audit_no_${verb} before ${verb} on audit begin select raise(abort, 'the audit trail is append-only'); end`,
    );
  await run(
    'create table checkpoint (name text primary key, no integer not null, format integer not null, saved_at integer not null, data blob not null)',
  );
  await run(
    'create table mqtt_session (client text primary key, subscriptions text not null, updated_at integer not null)',
  );
  await run(`create table mqtt_queue (id integer primary key autoincrement, client text not null, message_id integer, packet blob not null,
    queued_at integer not null)`);
  await run('create index mqtt_queue_client on mqtt_queue (client, id)');
  await run('create table mqtt_retained (topic text primary key, packet blob not null, updated_at integer not null)');
  await run('create table mqtt_will (client text primary key, packet blob not null)');
}

/** Levels of early warnings, and rules as data. */
async function rules(db: Kysely<unknown>): Promise<void> {
  const run = async (statement: string) => {
    await sql.raw(statement).execute(db);
  };
  await run('alter table alarm add column level text');
  await run('create index alarm_rule on alarm (rule, raised_at)');
  await run(`create table rule (id text primary key, version integer not null, document text, changed_at integer not null,
    changed_by text not null)`);
  await run(`create table rule_version (rule text not null, version integer not null, at integer not null, actor text not null,
    action text not null, document text, primary key (rule, version))`);
  await run(`create table maintenance (id text primary key, scope text not null, from_at integer not null, to_at integer not null,
    reason text not null, announced_by text not null, created_at integer not null, ended_by text)`);
  await run('create index maintenance_to on maintenance (to_at)');
  await run(`create table withheld (id text primary key, cause text not null, why text not null, rule text not null, maintenance text,
    class text not null, level text, device text not null, point text not null, site text not null, zone text,
    raised_at integer not null, over_at integer, count integer not null, last_no integer not null, explanation text not null)`);
  await run('create index withheld_rule on withheld (rule, raised_at, id)');
  await run('create index withheld_maintenance on withheld (maintenance, raised_at, id)');
  await run('create index withheld_open on withheld (id) where over_at is null');
}
