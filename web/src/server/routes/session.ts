import { FireError, ROLE_PERMISSIONS } from '@smart-fire/core';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Caller, callerOf, inForce } from '../access/caller.ts';
import { hashPassword, newPassword, verifyPassword } from '../access/password.ts';
import { randomSecret } from '../access/secret.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { cookieName, isSecure, refuseInsecureLogin } from '../plugins/authentication.ts';
import { answers } from '../schemas/answers.ts';
import { session } from '../schemas/things.ts';
import { people, type StoredPerson } from '../store/people.ts';

/** Log-ins from one address per minute, right or wrong: a whole centre may sit behind one. */
const LOGINS_PER_MINUTE = 300;

export function sessionOf({ config }: Context, { person, expiresAt, via }: Caller): z.infer<typeof session> {
  const permissions = [...ROLE_PERMISSIONS[person.role]];
  return { person, permissions, expiresAt, via, timeZone: config.TIME_ZONE, mqttPort: config.MQTT_PORT };
}

export function setSessionCookie(context: Context, reply: FastifyReply, value: string, expiresAt: number): void {
  const secure = isSecure(context);
  const expires = new Date(expiresAt);
  void reply.setCookie(cookieName(secure), value, { path: '/', httpOnly: true, sameSite: 'strict', secure, expires });
}

export function addSessionRoutes(app: App, context: Context): void {
  const { state, credentials, throttle, clock } = context;
  // An unknown user costs as much time as a wrong password.
  const nobody = hashPassword(randomSecret(16));

  async function check(person: StoredPerson | null, password: string): Promise<StoredPerson | null> {
    const right = await verifyPassword(password, person?.passwordHash ?? (await nobody));
    return person && right && inForce(person, clock.now()) ? person : null;
  }

  app.post(
    '/api/v1/session',
    {
      config: { public: true, rateLimit: { max: LOGINS_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        summary: 'Log in',
        body: z.strictObject({ username: z.string().max(200), password: z.string().max(1000) }),
        response: answers(200, session),
      },
    },
    async (request, reply) => {
      refuseInsecureLogin(context, request.raw);
      const { username, password } = request.body;
      const stored = await throttle.run(username, request.ip, async () =>
        check(await people.byUsername(state, username), password),
      );
      const { passwordHash: _, createdAt: __, ...person } = stored;
      const { value, caller } = await credentials.startSession(person, request.ip);
      setSessionCookie(context, reply, value, caller.expiresAt!);
      return sessionOf(context, caller);
    },
  );

  app.get(
    '/api/v1/session',
    { config: { permission: 'person' }, schema: { summary: 'Who am I', response: answers(200, session) } },
    async (request) => sessionOf(context, callerOf(request)),
  );

  app.delete(
    '/api/v1/session',
    {
      config: { permission: 'person', sessionOnly: true },
      schema: { summary: 'Log out', response: answers(204, z.undefined()) },
    },
    async (request, reply) => {
      await credentials.endSession(callerOf(request));
      return reply
        .clearCookie(cookieName(isSecure(context)), { path: '/' })
        .status(204)
        .send();
    },
  );

  app.post(
    '/api/v1/session/password',
    {
      config: { permission: 'person', sessionOnly: true },
      schema: {
        summary: 'Change my password; my other sessions end',
        body: z.strictObject({ current: z.string().max(1000), password: newPassword }),
        response: answers(204, z.undefined()),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { id, username, scope } = caller.person;
      const person = await throttle.run(username, request.ip, async () =>
        check(await people.byId(state.db, id), request.body.current),
      );
      const passwordHash = await hashPassword(request.body.password);
      await state.transaction(async (trx) => {
        const now = await people.byId(trx, id);
        if (now?.passwordHash !== person.passwordHash) throw new FireError('FIRE_LOGIN_FAILED');
        await people.update(trx, { ...now, passwordHash });
        await trx.deleteFrom('session').where('person', '=', id).where('id_hash', '<>', caller.credential).execute();
        await state.audit(trx, {
          ...{ actor: id, action: 'user.change-password', subject: `user:${id}` },
          detail: { path: scope },
        });
      });
      credentials.sessionsRemoved(id, caller.credential);
      return reply.status(204).send();
    },
  );
}
