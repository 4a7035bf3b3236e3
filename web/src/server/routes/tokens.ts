import { FireError } from '@smart-fire/core';
import { z } from 'zod';
import { callerOf } from '../access/caller.ts';
import { TOKEN_PREFIX } from '../access/credentials.ts';
import { randomId, randomSecret, secretHash } from '../access/secret.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { byKey, id, listOf, ms, name, page, pageOf } from '../schemas/list.ts';
import { token } from '../schemas/things.ts';
import { noun } from '../words.ts';

/** A person's own; more would be a mistake in a script. */
const MOST = 50;

export function addTokenRoutes(app: App, { state, credentials, clock }: Context): void {
  app.get(
    '/api/v1/tokens',
    {
      config: { permission: 'token.write', sessionOnly: true },
      schema: { summary: 'My API tokens', querystring: z.strictObject(page), response: answers(200, listOf(token)) },
    },
    async (request) => {
      const key = (item: { id: string }) => item.id;
      const own = credentials.tokensOf(callerOf(request).person.id).sort(byKey(key));
      return pageOf(own, key, request.query.cursor, request.query.limit);
    },
  );

  app.post(
    '/api/v1/tokens',
    {
      config: { permission: 'token.write', sessionOnly: true },
      schema: {
        summary: 'A new API token with my rights; shown this once',
        body: z.strictObject({ name, expiresAt: ms.nullable().default(null) }),
        response: answers(201, z.object({ token, secret: z.string() })),
      },
    },
    async (request, reply) => {
      const { person } = callerOf(request);
      if (credentials.tokensOf(person.id).length >= MOST)
        throw new FireError('FIRE_REQUEST_INVALID', { problems: `more than ${MOST} tokens` });
      const secret = TOKEN_PREFIX + randomSecret(32);
      const made = { id: randomId('token'), person: person.id, createdAt: clock.now(), ...request.body };
      const hash = secretHash(secret);
      await state.transaction(async (trx) => {
        const { id, name, createdAt, expiresAt } = made;
        const row = { id, hash, person: person.id, name, created_at: createdAt, expires_at: expiresAt };
        await trx.insertInto('token').values(row).execute();
        await state.audit(trx, {
          ...{ actor: person.id, action: 'token.create', subject: `token:${id}` },
          detail: { name, expiresAt, path: person.scope },
        });
      });
      credentials.putToken(hash, made);
      return reply.status(201).send({ token: made, secret });
    },
  );

  app.delete(
    '/api/v1/tokens/:id',
    {
      config: { permission: 'token.write', sessionOnly: true },
      schema: { summary: 'End a token at once', params: z.object({ id }), response: answers(204, z.undefined()) },
    },
    async (request, reply) => {
      const { person } = callerOf(request);
      const { id } = request.params;
      if (!credentials.tokensOf(person.id).some((own) => own.id === id))
        throw new FireError('FIRE_NOT_FOUND', { what: noun('token', id) });
      await state.transaction(async (trx) => {
        await trx.deleteFrom('token').where('id', '=', id).execute();
        await state.audit(trx, {
          ...{ actor: person.id, action: 'token.delete', subject: `token:${id}` },
          detail: { path: person.scope },
        });
      });
      credentials.tokenRemoved(id);
      return reply.status(204).send();
    },
  );
}
