import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { FireError } from '@smart-fire/core';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';

/** A console at work asks a few times a second at most. */
const PER_MINUTE = 1200;

/** Headers that keep the console to itself, and a limit on requests per person (per address before log-in). */
export async function addGuards(app: App, { secure }: Context): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Charts put their tooltips' places into style attributes.
        styleSrcAttr: ["'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        workerSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // A private CA may be replaced; remembering https for a year would then lock people out.
    strictTransportSecurity: false,
    originAgentCluster: secure,
    crossOriginOpenerPolicy: secure,
    referrerPolicy: { policy: 'no-referrer' },
  });
  await app.register(rateLimit, {
    max: PER_MINUTE,
    timeWindow: 60_000,
    keyGenerator: (request) => request.caller?.person.id ?? request.ip,
    errorResponseBuilder: (_request, { ttl }) => new FireError('FIRE_RATE_LIMITED', { seconds: Math.ceil(ttl / 1000) }),
  });
}
