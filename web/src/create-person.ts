import type { Person } from '@smart-fire/core';
import { type StateStore, systemClock } from '@smart-fire/core/node';
import { hashPassword, newPassword } from './server/access/password.ts';
import { randomId } from './server/access/secret.ts';
import { people } from './server/store/people.ts';

export interface NewPerson extends Pick<Person, 'username' | 'name' | 'role' | 'scope'> {
  /** At least 12 characters. */
  password: string;
  validUntil?: number | null;
}

/**
 * Make a person without the API (demo, tests), with its audit row. `replace`: when the user name is taken, give that person these
 * properties and this password instead of failing; its sessions end at the next start.
 */
export async function createPerson(
  state: StateStore,
  { username, name, role, scope, password, validUntil = null }: NewPerson,
  { replace = false }: { replace?: boolean } = {},
): Promise<Person> {
  const passwordHash = await hashPassword(newPassword.parse(password));
  return state.transaction(async (trx) => {
    const row = await trx.selectFrom('person').selectAll().where('username', '=', username).executeTakeFirst();
    const before = replace ? row : undefined;
    const person: Person = {
      id: before?.id ?? randomId('u'),
      username,
      name,
      role,
      scope,
      disabled: false,
      validUntil,
    };
    const stored = { ...person, passwordHash, createdAt: before?.created_at ?? systemClock.now() };
    if (before) {
      await people.update(trx, stored);
      await trx.deleteFrom('session').where('person', '=', person.id).execute();
    } else await people.insert(trx, stored);
    await state.audit(trx, {
      ...{ actor: 'system', action: before ? 'user.update' : 'user.create', subject: `user:${person.id}` },
      detail: { username, name, role, path: scope },
    });
    return person;
  });
}
