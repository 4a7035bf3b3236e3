import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Kysely, type Transaction } from 'kysely';
import { FireError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Registry } from '../../registry.ts';
import { type AuditAct, appendAudit } from './audit.ts';
import { loadRegistry } from './load-registry.ts';
import { MIGRATIONS, STATE_FORMAT } from './migrations.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { StateTables } from './tables.ts';

/**
 * Areas, sites, devices, people, alarms, audit and MQTT sessions. Every method, and every query on `db`, rejects with
 * FIRE_STATE_UNAVAILABLE while the store cannot do its work (disk full, I/O error).
 */
export interface StateStore {
  db: Kysely<StateTables>;
  /** All or nothing; transactions run one after the other. */
  transaction<T>(work: (trx: Transaction<StateTables>) => Promise<T>): Promise<T>;
  /** One row of the append-only, hash-chained trail, in the act's own transaction. */
  audit(trx: Transaction<StateTables>, act: AuditAct): Promise<void>;
  loadRegistry(registry: Registry): Promise<void>;
  close(): Promise<void>;
}

/** Open `sqlite:FILE` (relative to `dataDir`; `sqlite::memory:` for tests), bringing it to the current format first. */
export async function openState(
  url: string,
  { dataDir, clock }: { dataDir: string; clock: Clock },
): Promise<StateStore> {
  const name = url.slice('sqlite:'.length);
  const file = name === ':memory:' ? name : resolve(dataDir, name);
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const db = new Kysely<StateTables>({ dialect: sqliteDialect(file) });
  try {
    await migrate(db, file);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    db,
    transaction: (work) => db.transaction().execute(work),
    audit: (trx, act) => appendAudit(trx, clock.now(), act),
    loadRegistry: (registry) => loadRegistry(db, registry),
    close: () => db.destroy(),
  };
}

async function migrate(db: Kysely<StateTables>, file: string): Promise<void> {
  const tables = await db.introspection.getTables();
  const row = tables.some((table) => table.name === 'setting')
    ? await db.selectFrom('setting').select('value').where('name', '=', 'format').executeTakeFirst()
    : undefined;
  if (tables.length > 0 && row === undefined)
    throw new FireError('FIRE_FORMAT_UNKNOWN', { file, found: 'none', known: STATE_FORMAT });
  const format = Number(row?.value ?? 0);
  if (!(format <= STATE_FORMAT))
    throw new FireError('FIRE_FORMAT_UNKNOWN', { file, found: row?.value, known: STATE_FORMAT });
  for (let step = format; step < STATE_FORMAT; step++) {
    await db.transaction().execute(async (trx) => {
      await MIGRATIONS[step]!(trx as unknown as Kysely<unknown>);
      const value = String(step + 1);
      await trx
        .insertInto('setting')
        .values({ name: 'format', value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute();
    });
  }
}
