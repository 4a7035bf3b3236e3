import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Registry } from '../../registry.ts';
import { systemClock } from '../clock.ts';
import { verifyAudit } from './audit.ts';
import { MIGRATIONS, STATE_FORMAT } from './migrations.ts';
import { openState, type StateStore } from './open.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

let dataDir: string;
let state: StateStore;
const open = () => openState('sqlite:state.db', { dataDir, clock: systemClock });

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'state-'));
  state = await open();
});
afterEach(async () => {
  await state.close();
  rmSync(dataDir, { recursive: true });
});

const act = (n: number) => ({ actor: 'system', action: 'area.create', subject: `area:${n}`, detail: { n } });
const area = (id: string) => ({ id, parent: null, level: 'city', name: id, code: null, path: `/${id}/` });

describe('state store', () => {
  it('keeps what was committed over a reopen and loads the registry', async () => {
    await state.transaction(async (trx) => {
      await trx.insertInto('area').values(area('a')).execute();
      const contacts = JSON.stringify([{ name: 'n', post: 'p', telephone: '1' }]);
      await trx
        .insertInto('site')
        .values({ id: 's', area: 'a', name: 's', address: '', contacts, path: '/a/s/' })
        .execute();
      const device = {
        kind: 'gateway',
        name: 'g',
        site: 's',
        zone: null,
        location: '',
        disabled: 0,
        secret_hash: '00',
        created_at: 1,
      };
      await trx
        .insertInto('device')
        .values([
          { ...device, id: 'g', gateway: null },
          { ...device, id: 'd', gateway: 'g' },
        ])
        .execute();
    });
    await state.close();
    state = await open();
    const registry = new Registry();
    await state.loadRegistry(registry);
    expect(registry.pathOf('d')).toBe('/a/s/');
    expect([...registry.children('g')]).toEqual(['d']);
    expect(registry.sites.get('s')?.contacts).toEqual([{ name: 'n', post: 'p', telephone: '1' }]);
  });

  it('rolls a failed transaction back, audit row included', async () => {
    const failing = state.transaction(async (trx) => {
      await trx.insertInto('area').values(area('a')).execute();
      await state.audit(trx, act(1));
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect(await state.db.selectFrom('area').selectAll().execute()).toEqual([]);
    expect(await verifyAudit(state.db)).toMatchObject({ rows: 0, broken: null });
  });

  it('runs concurrent transactions one after the other, without a lost update', async () => {
    await state.db.insertInto('setting').values({ name: 'n', value: '0' }).execute();
    const increment = () =>
      state.transaction(async (trx) => {
        const { value } = await trx
          .selectFrom('setting')
          .select('value')
          .where('name', '=', 'n')
          .executeTakeFirstOrThrow();
        await trx
          .updateTable('setting')
          .set({ value: String(Number(value) + 1) })
          .where('name', '=', 'n')
          .execute();
      });
    await Promise.all(Array.from({ length: 50 }, increment));
    expect(await state.db.selectFrom('setting').select('value').where('name', '=', 'n').executeTakeFirst()).toEqual({
      value: '50',
    });
  });

  it('refuses a second unclosed alarm of one cause', async () => {
    const alarm = (id: string, status: string) =>
      state.db
        .insertInto('alarm')
        .values({
          id,
          cause: 'fire:d:',
          class: 'fire',
          state: status,
          device: 'd',
          point: '',
          site: 's',
          zone: null,
          rule: null,
          event: 'fire',
          raised_at: 1,
          received_at: 1,
          repeated_at: 1,
          cleared_at: null,
          count: 1,
          acknowledged_by: null,
          acknowledged_at: null,
          acknowledge_reason: null,
          verdict: null,
          verified_by: null,
          verified_at: null,
          closed_by: null,
          closed_at: null,
          opened_no: 1,
          explanation: '{}',
          version: 1,
        })
        .execute();
    await alarm('1', 'closed');
    await alarm('2', 'active-unacknowledged');
    await expect(alarm('3', 'active-unacknowledged')).rejects.toThrow(/UNIQUE/);
  });

  it('stops at a store written by a newer program', async () => {
    await state.db.updateTable('setting').set({ value: '99' }).where('name', '=', 'format').execute();
    await state.close();
    await expect(open()).rejects.toMatchObject({ code: 'FIRE_FORMAT_UNKNOWN' });
    const raw = new DatabaseSync(join(dataDir, 'state.db'));
    raw.exec(`update setting set value = '${STATE_FORMAT}' where name = 'format'`);
    raw.close();
    state = await open();
  });

  it('says FIRE_STATE_UNAVAILABLE when the disk is full, and works again afterwards', async () => {
    await state.db.executeQuery({
      sql: 'pragma max_page_count = 1',
      parameters: [],
      query: { kind: 'RawNode' } as never,
      queryId: {} as never,
    });
    const big = state.db.insertInto('setting').values({ name: 'big', value: 'x'.repeat(1e6) });
    await expect(big.execute()).rejects.toMatchObject({ code: 'FIRE_STATE_UNAVAILABLE' });
    await state.db.executeQuery({
      sql: 'pragma max_page_count = 1000000',
      parameters: [],
      query: { kind: 'RawNode' } as never,
      queryId: {} as never,
    });
    await big.execute();
  });
});

describe('audit trail', () => {
  const write = (n: number) => state.transaction((trx) => state.audit(trx, act(n)));
  const tamper = (sql: string) => {
    const raw = new DatabaseSync(join(dataDir, 'state.db'));
    raw.exec(`drop trigger audit_no_update; drop trigger audit_no_delete; ${sql}`);
    raw.close();
  };

  it('holds as one chain and refuses change and removal', async () => {
    for (const n of [1, 2, 3]) await write(n);
    expect(await verifyAudit(state.db)).toMatchObject({ rows: 3, broken: null });
    await expect(state.db.updateTable('audit').set({ actor: 'x' }).execute()).rejects.toThrow('append-only');
    await expect(state.db.deleteFrom('audit').execute()).rejects.toThrow('append-only');
  });

  it('shows a changed row and a removed row', async () => {
    for (const n of [1, 2, 3, 4]) await write(n);
    tamper(`update audit set actor = 'somebody' where no = 3`);
    expect((await verifyAudit(state.db)).broken).toMatchObject({ no: 3, reason: 'content was changed' });
    const raw = new DatabaseSync(join(dataDir, 'state.db'));
    raw.exec('delete from audit where no = 2');
    raw.close();
    expect((await verifyAudit(state.db)).broken).toMatchObject({ no: 2, reason: 'row is missing' });
  });
});

it('brings a store of format 1 up to date with all that is in it', async () => {
  const file = join(dataDir, 'old.db');
  const kysely = new Kysely<unknown>({ dialect: sqliteDialect(file) });
  await MIGRATIONS[0]!(kysely);
  await kysely.destroy();
  const old = new DatabaseSync(file);
  old.exec(`insert into setting (name, value) values ('format', '1')`);
  const columns = old.prepare('pragma table_info(alarm)').all() as { name: string; type: string }[];
  const insert = old.prepare(
    `insert into alarm (${columns.map(({ name }) => name)}) values (${columns.map(() => '?')})`,
  );
  for (let n = 0; n < 100; n++)
    insert.run(...columns.map(({ type }) => (type.toLowerCase() === 'integer' ? n : `text ${n}`)));
  old.close();
  const opened = await openState('sqlite:old.db', { dataDir, clock: systemClock });
  try {
    const rows = await opened.db.selectFrom('alarm').select(['id', 'level']).orderBy('opened_no').execute();
    expect(rows).toHaveLength(100);
    expect(rows[7]).toEqual({ id: 'text 7', level: null });
    for (const table of ['rule', 'rule_version', 'maintenance', 'withheld'] as const)
      expect(await opened.db.selectFrom(table).selectAll().execute()).toEqual([]);
    const format = await opened.db
      .selectFrom('setting')
      .select('value')
      .where('name', '=', 'format')
      .executeTakeFirst();
    expect(format).toEqual({ value: String(STATE_FORMAT) });
  } finally {
    await opened.close();
  }
});
