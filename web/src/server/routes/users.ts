import { FireError, type Person, ROLES } from '@smart-fire/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { actorOf, allowed, callerOf } from '../access/caller.ts';
import { hashPassword, newPassword } from '../access/password.ts';
import { randomId } from '../access/secret.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { fromCursor, id, listOf, ms, name, page, toCursor } from '../schemas/list.ts';
import { user } from '../schemas/things.ts';
import { inOurWords } from '../store/constraint.ts';
import { people, type StoredPerson } from '../store/people.ts';
import { noun } from '../words.ts';
import { username } from './user-fields.ts';

const params = z.object({ id });
const scope = z.string().max(2000);

function personOf({ passwordHash: _, createdAt: __, ...person }: StoredPerson): Person {
  return person;
}

export function addUserRoutes(app: App, context: Context): void {
  const { state, registry, credentials, clock } = context;

  /** A scope is the whole tree, or the path of an area or site that lies in the caller's own. */
  const checkScope = (request: FastifyRequest, path: string) => {
    const id = path.split('/').at(-2) ?? '';
    const exists = path === '/' || (registry.areas.get(id) ?? registry.sites.get(id))?.path === path;
    allowed(request, 'person.write', exists ? path : null, path, 'area', path);
  };
  const find = async (request: FastifyRequest, id: string, permission: 'person.read' | 'person.write') => {
    const found = await people.byId(state.db, id);
    return allowed(request, permission, found, found?.scope ?? '', 'user', id);
  };

  app.get(
    '/api/v1/users',
    {
      config: { permission: 'person.read' },
      schema: {
        summary: 'People in my scope, by user name',
        querystring: z.strictObject(page),
        response: answers(200, listOf(user)),
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const after = fromCursor(cursor, z.string()) ?? '';
      const found = await people.list(state, callerOf(request).person.scope, after, limit + 1);
      const items = found.slice(0, limit);
      return { items, next: found.length > limit ? toCursor(items.at(-1)!.username) : null };
    },
  );

  app.post(
    '/api/v1/users',
    {
      config: { permission: 'person.write', sessionOnly: true },
      schema: {
        summary: 'Add a person',
        body: z.strictObject({
          username,
          name,
          password: newPassword,
          role: z.enum(ROLES),
          scope,
          validUntil: ms.nullable().default(null),
        }),
        response: answers(201, user),
      },
    },
    async (request, reply) => {
      const { password, ...fields } = request.body;
      checkScope(request, fields.scope);
      const person: StoredPerson = {
        ...fields,
        ...{ id: randomId('u'), disabled: false, createdAt: clock.now(), passwordHash: await hashPassword(password) },
      };
      const { passwordHash: _, scope: path, ...detail } = person;
      const adding = state.transaction(async (trx) => {
        await people.insert(trx, person);
        await state.audit(trx, {
          ...{ actor: actorOf(callerOf(request)), action: 'user.create', subject: `user:${person.id}` },
          detail: { ...detail, path },
        });
      });
      await inOurWords(noun('user', person.username), adding);
      credentials.putPerson(personOf(person));
      return reply.status(201).send(person);
    },
  );

  app.get(
    '/api/v1/users/:id',
    { config: { permission: 'person.read' }, schema: { summary: 'One person', params, response: answers(200, user) } },
    async (request) => find(request, request.params.id, 'person.read'),
  );

  app.patch(
    '/api/v1/users/:id',
    {
      config: { permission: 'person.write', sessionOnly: true },
      schema: {
        summary: 'Change a person; disabling or a new password ends sessions and live connections at once',
        params,
        body: z.strictObject({
          name: name.exactOptional(),
          role: z.enum(ROLES).exactOptional(),
          scope: scope.exactOptional(),
          disabled: z.boolean().exactOptional(),
          validUntil: ms.nullable().exactOptional(),
          password: newPassword.exactOptional(),
        }),
        response: answers(200, user),
      },
    },
    async (request) => {
      const { id } = await find(request, request.params.id, 'person.write');
      const { password, ...fields } = request.body;
      if (fields.scope !== undefined) checkScope(request, fields.scope);
      const passwordHash = password === undefined ? undefined : await hashPassword(password);
      const after = await state.transaction(async (trx) => {
        const before = await people.byId(trx, id);
        if (!before) throw new FireError('FIRE_NOT_FOUND', { what: noun('user', id) });
        const changed: StoredPerson = { ...before, ...fields, ...(passwordHash ? { passwordHash } : {}) };
        await people.update(trx, changed);
        await people.mustKeepAdministrator(trx);
        if (changed.disabled || passwordHash) await trx.deleteFrom('session').where('person', '=', id).execute();
        await state.audit(trx, {
          ...{ actor: actorOf(callerOf(request)), action: 'user.update', subject: `user:${id}` },
          detail: { ...fields, ...(passwordHash ? { password: 'reset' } : {}), path: changed.scope },
        });
        return changed;
      });
      credentials.putPerson(personOf(after));
      if (after.disabled || passwordHash) credentials.sessionsRemoved(id);
      return after;
    },
  );
}
