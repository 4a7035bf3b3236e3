import { FireError, may, mayAnywhere, type Permission, type Person } from '@smart-fire/core';
import type { FastifyRequest } from 'fastify';
import { noun } from '../words.ts';

/** Who asks, and by what. A token has the rights of its person at most. */
export interface Caller {
  person: Person;
  via: 'session' | 'token';
  /** Hash of the session's cookie, or the token's id. */
  credential: string;
  expiresAt: number | null;
}

/** The audit trail's word for who acts. */
export function actorOf(caller: Caller): string {
  return caller.via === 'token' ? `token:${caller.credential}` : caller.person.id;
}

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new FireError('FIRE_LOGIN_REQUIRED');
  return request.caller;
}

/**
 * Something the caller may have `permission` for at `path`; undefined = there is no such thing.
 * Out of scope and absent are the same 404, so that nobody learns what lies outside his area.
 */
export function allowed<T>(
  request: FastifyRequest,
  permission: Permission,
  thing: T | undefined | null,
  path: string,
  entity: Parameters<typeof noun>[0],
  id: string,
): T {
  const { person } = callerOf(request);
  if (thing === undefined || thing === null || !path.startsWith(person.scope))
    throw new FireError('FIRE_NOT_FOUND', { what: noun(entity, id) });
  if (!may(person, permission, path)) throw new FireError('FIRE_PERMISSION_DENIED', { permission });
  return thing;
}

/** A person's rights hold now: not disabled, not run out. */
export function inForce(person: Person, now: number): boolean {
  return !person.disabled && (person.validUntil === null || person.validUntil > now);
}

export function permitted(request: FastifyRequest, permission: Permission): boolean {
  return mayAnywhere(callerOf(request).person, permission);
}
