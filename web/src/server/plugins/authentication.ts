import type { IncomingMessage } from 'node:http';
import { FireError } from '@smart-fire/core';
import type { Caller } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by a valid session cookie or Bearer token. */
    caller: Caller | null;
  }
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** `__Host-` binds the cookie to this host and to https; without TLS (loopback only) browsers refuse that prefix. */
export function cookieName(secure: boolean): string {
  return secure ? '__Host-smartfire' : 'smartfire';
}

/** Who asks, by `Authorization: Bearer` or else by cookie. */
export function identify(context: Context, request: IncomingMessage): Caller | null {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return context.credentials.byToken(bearer);
  const name = `${cookieName(isSecure(context))}=`;
  const pair = request.headers.cookie?.split(';').find((part) => part.trimStart().startsWith(name));
  return pair ? context.credentials.bySession(pair.trim().slice(name.length)) : null;
}

/** https to the browser, by us or by a proxy in front of us. */
export function isSecure({ secure, config }: Pick<Context, 'secure' | 'config'>): boolean {
  return secure || config.PUBLIC_URL?.startsWith('https:') === true;
}

/**
 * Requests that change something, and live connections, must come from our own pages: browsers always say where from.
 * Programs say nothing, and hold no cookie that a foreign page could abuse.
 */
export function isOwnOrigin(context: Context, request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return request.headers['sec-fetch-site'] !== 'cross-site';
  if (context.config.PUBLIC_URL && origin === new URL(context.config.PUBLIC_URL).origin) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address);
}

/** Passwords are taken over https (a proxy says so itself), or from this machine. */
export function refuseInsecureLogin(context: Context, request: IncomingMessage): void {
  const proxied = isSecure(context) && request.headers['x-forwarded-proto'] === 'https';
  if (!context.secure && !proxied && !isLoopback(request.socket.remoteAddress))
    throw new FireError('FIRE_LOGIN_INSECURE');
}

export function addAuthentication(app: App, context: Context): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    request.caller = identify(context, request.raw);
    if (!SAFE.has(request.method) && !request.headers.authorization && !isOwnOrigin(context, request.raw))
      throw new FireError('FIRE_ORIGIN_REFUSED');
  });
}
