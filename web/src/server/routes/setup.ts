import { AREA_LEVELS, type Area } from '@smart-fire/core';
import { z } from 'zod';
import { newPassword } from '../access/password.ts';
import { randomId } from '../access/secret.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { refuseInsecureLogin } from '../plugins/authentication.ts';
import { answers } from '../schemas/answers.ts';
import { name } from '../schemas/list.ts';
import { area, session } from '../schemas/things.ts';
import { people } from '../store/people.ts';
import { places } from '../store/places.ts';
import { sessionOf, setSessionCookie } from './session.ts';
import { areaCode, username } from './user-fields.ts';

export function addSetupRoutes(app: App, context: Context): void {
  const { state, setup, credentials } = context;

  app.get(
    '/api/v1/setup',
    {
      config: { public: true },
      schema: {
        summary: 'Whether there is no administrator yet',
        response: answers(200, z.object({ open: z.boolean() })),
      },
    },
    async () => ({ open: !(await people.hasAdministrator(state)) }),
  );

  app.post(
    '/api/v1/setup',
    {
      config: { public: true, rateLimit: { max: 20, timeWindow: 60_000 } },
      schema: {
        summary: 'Make the first administrator, with the one-time token printed at start, and log in',
        body: z.strictObject({
          token: z.string().max(200),
          username,
          name,
          password: newPassword,
          area: z
            .strictObject({ name, level: z.enum(AREA_LEVELS).default('city'), code: areaCode.optional() })
            .optional(),
        }),
        response: answers(201, session.extend({ area: area.nullable() })),
      },
    },
    async (request, reply) => {
      refuseInsecureLogin(context, request.raw);
      const { token, area: wanted, ...fields } = request.body;
      const person = await setup.redeem(token, fields);
      const id = randomId('area');
      const root: Area | null = wanted
        ? { id, parent: null, level: wanted.level, name: wanted.name, code: wanted.code ?? null, path: `/${id}/` }
        : null;
      if (root) await places.putArea(context, person.id, root, 'create');
      const { value, caller } = await credentials.startSession(person, request.ip);
      setSessionCookie(context, reply, value, caller.expiresAt!);
      return reply.status(201).send({ ...sessionOf(context, caller), area: root });
    },
  );
}
