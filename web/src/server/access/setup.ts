import { timingSafeEqual } from 'node:crypto';
import type { Clock, Person } from '@smart-fire/core';
import { FireError } from '@smart-fire/core';
import type { StateStore } from '@smart-fire/core/node';
import { people } from '../store/people.ts';
import { hashPassword } from './password.ts';
import { randomId, randomSecret, secretHash } from './secret.ts';

const SETTING = 'setup-token';

/** The one-time way in while nobody can manage people: a secret that only whoever started the server has seen. */
export class Setup {
  readonly #state: StateStore;
  readonly #clock: Clock;

  constructor(state: StateStore, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** A new token that replaces the one before; null when there is an administrator. */
  async token(): Promise<string | null> {
    if (await people.hasAdministrator(this.#state)) return null;
    const token = randomSecret(24);
    const value = secretHash(token);
    await this.#state.db
      .insertInto('setting')
      .values({ name: SETTING, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute();
    return token;
  }

  /** The first administrator. Rejects with FIRE_SETUP_DONE for a token that is not, or no longer, valid. */
  async redeem(token: string, { username, name, password }: { username: string; name: string; password: string }) {
    const person: Person = {
      ...{ id: randomId('u'), username, name, role: 'administrator', scope: '/' },
      ...{ disabled: false, validUntil: null },
    };
    const passwordHash = await hashPassword(password);
    await this.#state.transaction(async (trx) => {
      const row = await trx.selectFrom('setting').select('value').where('name', '=', SETTING).executeTakeFirst();
      if (!row || !sameText(row.value, secretHash(token))) throw new FireError('FIRE_SETUP_DONE');
      await trx.deleteFrom('setting').where('name', '=', SETTING).execute();
      await people.insert(trx, { ...person, passwordHash, createdAt: this.#clock.now() });
      await this.#state.audit(trx, {
        ...{ actor: person.id, action: 'user.create', subject: `user:${person.id}` },
        detail: { username, role: person.role, path: '/', setup: true },
      });
    });
    return person;
  }
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
