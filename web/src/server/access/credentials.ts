import type { Clock, Person } from '@smart-fire/core';
import type { StateStore } from '@smart-fire/core/node';
import { personFromRow } from '../store/people.ts';
import { type Caller, inForce } from './caller.ts';
import { randomSecret, secretHash } from './secret.ts';

/** A session ends after this whatever happens; a duty seat logs in anew once a month. */
const SESSION_MS = 30 * 86_400_000;
/** So that scanners of leaked secrets and people can tell what it is. */
export const TOKEN_PREFIX = 'sf_';

export type Ended = (caller: Caller) => boolean;

export interface TokenRow {
  id: string;
  person: string;
  name: string;
  createdAt: number;
  expiresAt: number | null;
}

/**
 * Sessions, API tokens and the people they belong to, mirrored in memory from the state store: whoever is logged in stays so
 * while that store is away, and no request waits for it. Everything that ends one of them goes through here.
 */
export class Credentials {
  readonly #people = new Map<string, Person>();
  readonly #sessions = new Map<string, { person: string; expiresAt: number }>();
  readonly #tokens = new Map<string, TokenRow>();
  readonly #listeners = new Set<(ended: Ended, reason: 'ended' | 'changed') => void>();
  readonly #state: StateStore;
  readonly #clock: Clock;

  constructor(state: StateStore, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  async load(): Promise<void> {
    const { db } = this.#state;
    await db.deleteFrom('session').where('expires_at', '<', this.#clock.now()).execute();
    for (const row of await db.selectFrom('person').selectAll().execute()) this.#people.set(row.id, personFromRow(row));
    for (const row of await db.selectFrom('session').selectAll().execute())
      this.#sessions.set(row.id_hash, { person: row.person, expiresAt: row.expires_at });
    for (const row of await db.selectFrom('token').selectAll().execute())
      this.#tokens.set(row.hash, {
        id: row.id,
        person: row.person,
        name: row.name,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
      });
  }

  /** Told which callers' rights have ended or changed, at once. */
  onEnd(listener: (ended: Ended, reason: 'ended' | 'changed') => void): void {
    this.#listeners.add(listener);
  }

  bySession(value: string): Caller | null {
    const credential = secretHash(value);
    const session = this.#sessions.get(credential);
    return session ? this.#caller('session', credential, session) : null;
  }

  byToken(secret: string): Caller | null {
    const token = this.#tokens.get(secretHash(secret));
    return token ? this.#caller('token', token.id, token) : null;
  }

  /** Whether what was true at log-in still is (time passes, too). */
  holds(caller: Caller): boolean {
    const now = this.#clock.now();
    return inForce(caller.person, now) && (caller.expiresAt === null || caller.expiresAt > now);
  }

  nameOf(actor: string): string | null {
    const token = actor.startsWith('token:')
      ? [...this.#tokens.values()].find(({ id }) => `token:${id}` === actor)
      : null;
    return this.#people.get(token?.person ?? actor)?.name ?? null;
  }

  person(id: string): Person | undefined {
    return this.#people.get(id);
  }

  people(): Person[] {
    return [...this.#people.values()];
  }

  tokensOf(person: string): TokenRow[] {
    return [...this.#tokens.values()].filter((token) => token.person === person);
  }

  /** A new session; `value` is for the cookie alone. */
  async startSession(person: Person, address: string): Promise<{ value: string; caller: Caller }> {
    const now = this.#clock.now();
    const value = randomSecret(32);
    const credential = secretHash(value);
    const session = { person: person.id, expiresAt: now + SESSION_MS };
    await this.#state.transaction(async (trx) => {
      await trx
        .insertInto('session')
        .values({ id_hash: credential, person: person.id, created_at: now, expires_at: session.expiresAt })
        .execute();
      await this.#state.audit(trx, {
        actor: person.id,
        action: 'session.start',
        subject: `user:${person.id}`,
        detail: { address, path: person.scope },
      });
    });
    this.#people.set(person.id, person);
    this.#sessions.set(credential, session);
    return { value, caller: { person, via: 'session', credential, expiresAt: session.expiresAt } };
  }

  async endSession(caller: Caller): Promise<void> {
    await this.#state.transaction(async (trx) => {
      await trx.deleteFrom('session').where('id_hash', '=', caller.credential).execute();
      await this.#state.audit(trx, {
        actor: caller.person.id,
        action: 'session.end',
        subject: `user:${caller.person.id}`,
        detail: { path: caller.person.scope },
      });
    });
    this.#sessions.delete(caller.credential);
    this.#tell((other) => other.credential === caller.credential, 'ended');
  }

  /** After the transaction that removed a person's sessions from the store, `except` one. */
  sessionsRemoved(person: string, except?: string): void {
    for (const [credential, session] of this.#sessions)
      if (session.person === person && credential !== except) this.#sessions.delete(credential);
    this.#tell(
      (caller) => caller.via === 'session' && caller.person.id === person && caller.credential !== except,
      'ended',
    );
  }

  /** After the transaction that wrote a person. */
  putPerson(person: Person): void {
    const before = this.#people.get(person.id);
    this.#people.set(person.id, person);
    if (!before) return;
    const gone = !inForce(person, this.#clock.now());
    if (gone || before.role !== person.role || before.scope !== person.scope)
      this.#tell((caller) => caller.person.id === person.id, gone ? 'ended' : 'changed');
  }

  putToken(hash: string, token: TokenRow): void {
    this.#tokens.set(hash, token);
  }

  tokenRemoved(id: string): void {
    for (const [hash, token] of this.#tokens) if (token.id === id) this.#tokens.delete(hash);
    this.#tell((caller) => caller.via === 'token' && caller.credential === id, 'ended');
  }

  #caller(
    via: Caller['via'],
    credential: string,
    { person: id, expiresAt }: { person: string; expiresAt: number | null },
  ): Caller | null {
    const person = this.#people.get(id);
    if (!person) return null;
    const caller = { person, via, credential, expiresAt };
    return this.holds(caller) ? caller : null;
  }

  #tell(ended: Ended, reason: 'ended' | 'changed'): void {
    for (const listener of this.#listeners) listener(ended, reason);
  }
}
