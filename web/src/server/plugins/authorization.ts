import { FireError, mayAnywhere, type Permission } from '@smart-fire/core';
import type { App } from '../app.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the caller's role must allow; `person` = anybody who is logged in. Where in the tree, the handler checks. */
    permission?: Permission | 'person';
    /** Open to everybody. */
    public?: true;
    /** Not for API tokens: a leaked one must not be able to prolong or multiply itself. */
    sessionOnly?: true;
  }
}

/** Every route says who may use it; the server does not start with one that does not. */
export function addAuthorization(app: App): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.public && !config?.permission) throw new Error(`${method} ${url} declares no permission`);
  });
  app.addHook('onRequest', async (request) => {
    const { permission, public: open, sessionOnly } = request.routeOptions.config;
    if (open || request.is404) return;
    if (!request.caller) throw new FireError('FIRE_LOGIN_REQUIRED');
    if (sessionOnly && request.caller.via === 'token') throw new FireError('FIRE_TOKEN_REFUSED');
    if (permission !== 'person' && (!permission || !mayAnywhere(request.caller.person, permission)))
      throw new FireError('FIRE_PERMISSION_DENIED', { permission });
  });
}
