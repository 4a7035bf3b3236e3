import { FireError, type Person, ROLES } from '@smart-fire/core';
import type { PersonTable, StateStore } from '@smart-fire/core/node';
import { z } from 'zod';
import type { Trx } from '../deps.ts';

export type StoredPerson = Person & { createdAt: number; passwordHash: string };

const role = z.enum(ROLES);

export function personFromRow(row: PersonTable): Person {
  const { id, username, name, scope } = row;
  return {
    id,
    username,
    name,
    role: role.parse(row.role),
    scope,
    disabled: row.disabled !== 0,
    validUntil: row.valid_until,
  };
}

function stored(row: PersonTable): StoredPerson {
  return { ...personFromRow(row), createdAt: row.created_at, passwordHash: row.password_hash };
}

function toRow(person: StoredPerson): PersonTable {
  const { id, username, name, scope } = person;
  return {
    id,
    username,
    name,
    password_hash: person.passwordHash,
    role: person.role,
    scope,
    disabled: person.disabled ? 1 : 0,
    valid_until: person.validUntil,
    created_at: person.createdAt,
  };
}

/** People in the state store. Who writes here also tells `Credentials`. */
export const people = {
  async byUsername(state: StateStore, username: string): Promise<StoredPerson | null> {
    const row = await state.db.selectFrom('person').selectAll().where('username', '=', username).executeTakeFirst();
    return row ? stored(row) : null;
  },

  async byId(db: StateStore['db'] | Trx, id: string): Promise<StoredPerson | null> {
    const row = await db.selectFrom('person').selectAll().where('id', '=', id).executeTakeFirst();
    return row ? stored(row) : null;
  },

  /** By user name, after `after`. */
  async list(state: StateStore, scope: string, after: string, limit: number): Promise<StoredPerson[]> {
    const rows = await state.db
      .selectFrom('person')
      .selectAll()
      .where('username', '>', after)
      .where((where) => where.fn('substr', ['scope', where.val(1), where.val(scope.length)]), '=', scope)
      .orderBy('username')
      .limit(limit)
      .execute();
    return rows.map(stored);
  },

  async insert(trx: Trx, person: StoredPerson): Promise<void> {
    await trx.insertInto('person').values(toRow(person)).execute();
  },

  async update(trx: Trx, person: StoredPerson): Promise<void> {
    await trx.updateTable('person').set(toRow(person)).where('id', '=', person.id).execute();
  },

  /** Somebody must be left who can manage people everywhere. */
  async mustKeepAdministrator(trx: Trx): Promise<void> {
    if ((await administrators(trx)) === 0) throw new FireError('FIRE_LAST_ADMINISTRATOR');
  },

  async hasAdministrator(state: StateStore): Promise<boolean> {
    return (await administrators(state.db)) > 0;
  },
};

async function administrators(db: StateStore['db'] | Trx): Promise<number> {
  const { count } = await db
    .selectFrom('person')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('role', '=', 'administrator')
    .where('scope', '=', '/')
    .where('disabled', '=', 0)
    .where('valid_until', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}
