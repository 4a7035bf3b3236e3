import type { Alarm, AlarmEntry, AlarmQuery } from '@smart-fire/core';
import { type AlarmTable, type AuditAct, InsertStatements, type StateStore } from '@smart-fire/core/node';
import { alarmFromRow, alarmToRow, CHANGING, entryFromRow, entryToRow } from './rows.ts';

type Transaction = Parameters<Parameters<StateStore['transaction']>[0]>[0];

/** Rows of one statement: keeps the time to build it well below a frame, and below SQLite's limit of 32,766 parameters. */
const ROWS = 10;
const APPLIED = 'alerting.applied';
const CHECKPOINT = 'alerting';

/** What is saved together: alarms as they are now, what happened to them, and up to which journal number that is all. */
export interface AlarmChange {
  alarm: Alarm;
  entry: AlarmEntry;
}

export interface SavedCheckpoint {
  /** Number of the next entry. */
  no: number;
  format: number;
  /** When it was saved, ms UTC. */
  at: number;
  data: Uint8Array;
}

/** Alarms and the engine's cursor in the state store. Every method rejects with FIRE_STATE_UNAVAILABLE while it is away. */
export interface AlarmRepository {
  unclosed(): Promise<Alarm[]>;
  /** Effects up to this journal number are saved; 0 in an empty store. */
  applied(): Promise<number>;
  /** One transaction; `changes` in order. `applied` null = as it was. */
  save(changes: readonly AlarmChange[], applied: number | null, audit?: AuditAct): Promise<void>;
  /** null = never saved. */
  checkpoint(): Promise<SavedCheckpoint | null>;
  /** In order; those of one checkpoint, whose own row names the generation. */
  checkpointParts(generation: number): AsyncGenerator<Uint8Array>;
  saveCheckpointPart(generation: number, part: number, checkpoint: SavedCheckpoint): Promise<void>;
  /** One transaction: this is the checkpoint from now on, effects up to `applied` are saved, and other generations' parts go. */
  saveCheckpoint(generation: number, checkpoint: SavedCheckpoint, applied: number): Promise<void>;
  get(id: string): Promise<Alarm | null>;
  list(query: AlarmQuery): Promise<Alarm[]>;
  timeline(id: string): Promise<AlarmEntry[]>;
}

export function createAlarmRepository(state: StateStore): AlarmRepository {
  const { db } = state;
  const inserts = new InsertStatements();
  return {
    async unclosed() {
      return (await db.selectFrom('alarm').selectAll().where('state', '<>', 'closed').execute()).map(alarmFromRow);
    },

    async applied() {
      const row = await db.selectFrom('setting').select('value').where('name', '=', APPLIED).executeTakeFirst();
      return Number(row?.value ?? 0);
    },

    save: (changes, applied, audit) =>
      state.transaction(async (trx) => {
        // A cause's closed alarm goes before its next one: the store allows one unclosed alarm per cause at any moment.
        const latest = new Map<string, Alarm>();
        for (const { alarm } of changes) latest.set(alarm.id, alarm);
        for (const some of portions([...latest.values()]))
          await inserts.run(trx, 'alarm', some.map(alarmToRow), (rows) => upsert(trx, rows));
        for (const some of portions(changes)) {
          const entries = some.map(({ entry }) => entryToRow(entry));
          await inserts.run(trx, 'alarm_entry', entries, (rows) => trx.insertInto('alarm_entry').values(rows));
        }
        if (applied !== null) await setApplied(trx, inserts, applied);
        if (audit) await state.audit(trx, audit);
      }),

    async checkpoint() {
      const row = await db.selectFrom('checkpoint').selectAll().where('name', '=', CHECKPOINT).executeTakeFirst();
      return row ? { no: row.no, format: row.format, at: row.saved_at, data: row.data } : null;
    },

    async *checkpointParts(generation) {
      for (let part = 0; ; part++) {
        const name = partName(generation, part);
        const row = await db.selectFrom('checkpoint').select('data').where('name', '=', name).executeTakeFirst();
        if (!row) return;
        yield row.data;
      }
    },

    saveCheckpointPart: (generation, part, checkpoint) =>
      state.transaction((trx) => putCheckpoint(trx, partName(generation, part), checkpoint)),

    saveCheckpoint: (generation, checkpoint, applied) =>
      state.transaction(async (trx) => {
        await putCheckpoint(trx, CHECKPOINT, checkpoint);
        await trx
          .deleteFrom('checkpoint')
          .where('name', 'like', `${CHECKPOINT}.%`)
          .where('name', 'not like', `${CHECKPOINT}.${generation}.%`)
          .execute();
        await setApplied(trx, inserts, applied);
      }),

    async get(id) {
      const row = await db.selectFrom('alarm').selectAll().where('id', '=', id).executeTakeFirst();
      return row ? alarmFromRow(row) : null;
    },

    async list({ scope, site, device, classes, states, from, to, before, limit }) {
      let query = db.selectFrom('alarm').selectAll('alarm');
      if (scope !== '/') {
        // Compared by substr and not LIKE, to which the _ of an id is a wildcard.
        query = query
          .innerJoin('site', 'site.id', 'alarm.site')
          .where((eb) => eb(eb.fn('substr', ['site.path', eb.val(1), eb.val(scope.length)]), '=', scope));
      }
      if (site !== undefined) query = query.where('alarm.site', '=', site);
      if (device !== undefined) query = query.where('alarm.device', '=', device);
      if (classes !== undefined) query = query.where('alarm.class', 'in', classes);
      if (states !== undefined) query = query.where('alarm.state', 'in', states);
      if (from !== undefined) query = query.where('alarm.raised_at', '>=', from);
      if (to !== undefined) query = query.where('alarm.raised_at', '<', to);
      if (before !== undefined)
        query = query.where((eb) =>
          eb.or([
            eb('alarm.raised_at', '<', before.raisedAt),
            eb.and([eb('alarm.raised_at', '=', before.raisedAt), eb('alarm.id', '<', before.id)]),
          ]),
        );
      const rows = await query.orderBy('alarm.raised_at', 'desc').orderBy('alarm.id', 'desc').limit(limit).execute();
      return rows.map(alarmFromRow);
    },

    async timeline(id) {
      const rows = await db.selectFrom('alarm_entry').selectAll().where('alarm', '=', id).orderBy('version').execute();
      return rows.map(entryFromRow);
    },
  };
}

function upsert(trx: Transaction, rows: readonly AlarmTable[]) {
  return trx
    .insertInto('alarm')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((eb) => Object.fromEntries(CHANGING.map((column) => [column, eb.ref(`excluded.${column}`)]))),
    );
}

const partName = (generation: number, part: number) => `${CHECKPOINT}.${generation}.${part}`;

async function putCheckpoint(trx: Transaction, name: string, { no, format, at, data }: SavedCheckpoint): Promise<void> {
  const row = { no, format, saved_at: at, data };
  await trx
    .insertInto('checkpoint')
    .values({ name, ...row })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute();
}

function setApplied(trx: Transaction, inserts: InsertStatements, no: number): Promise<void> {
  return inserts.run(trx, 'setting', [{ name: APPLIED, value: String(no) }], (rows) =>
    trx
      .insertInto('setting')
      .values(rows)
      .onConflict((conflict) => conflict.column('name').doUpdateSet((eb) => ({ value: eb.ref('excluded.value') }))),
  );
}

function* portions<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += ROWS) yield items.slice(at, at + ROWS);
}
