import { FireError, mayAnywhere } from '@smart-fire/core';
import { z } from 'zod';
import type { App } from '../app.ts';
import { type Context, isReady } from '../context.ts';
import { isLoopback } from '../plugins/authentication.ts';
import { answers } from '../schemas/answers.ts';
import { listOf } from '../schemas/list.ts';
import { healthItem } from '../schemas/things.ts';

/** Probes ask often and hold no credential. */
const probe = { public: true, rateLimit: false } as const;

const readiness = z.object({ ready: z.boolean(), degraded: z.array(healthItem.omit({ figures: true })) });

export function addHealthRoutes(app: App, { health, metrics }: Context): void {
  app.get(
    '/healthz',
    {
      config: probe,
      schema: { summary: 'The process answers', response: answers(200, z.object({ status: z.literal('ok') })) },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      config: probe,
      schema: {
        summary: '200 while PUBACKs can be given, with what is degraded; else 503',
        response: { ...answers(200, readiness), 503: readiness },
      },
    },
    async (_request, reply) => {
      const items = health();
      const ready = isReady(items);
      return reply.status(ready ? 200 : 503).send({ ready, degraded: items.filter(({ level }) => level !== 'ok') });
    },
  );

  app.get(
    '/metrics',
    {
      config: probe,
      schema: {
        summary: 'Prometheus text: from this machine, or with a token of someone who may read health',
        hide: true,
      },
    },
    async (request, reply) => {
      // A proxy on this machine speaks for others.
      const here = isLoopback(request.raw.socket.remoteAddress) && request.headers['x-forwarded-for'] === undefined;
      if (!here && !request.caller) throw new FireError('FIRE_LOGIN_REQUIRED');
      if (!here && !mayAnywhere(request.caller!.person, 'health.read'))
        throw new FireError('FIRE_PERMISSION_DENIED', { permission: 'health.read' });
      return reply.type(metrics.contentType).send(await metrics.metrics());
    },
  );

  app.get(
    '/api/v1/health',
    {
      config: { permission: 'health.read' },
      schema: { summary: 'Parts of the platform, with what is degraded', response: answers(200, listOf(healthItem)) },
    },
    async () => ({ items: health(), next: null }),
  );
}
