import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import cookie from '@fastify/cookie';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Context } from './context.ts';
import { addAuthentication } from './plugins/authentication.ts';
import { addAuthorization } from './plugins/authorization.ts';
import { addConsole } from './plugins/console.ts';
import { addErrors } from './plugins/errors.ts';
import { addGuards } from './plugins/guards.ts';
import { addHttpMetrics } from './plugins/http-metrics.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { ROUTES } from './routes/index.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** A body has no reason to be larger: the largest is a site with its contacts. */
const BODY_LIMIT = 256 * 1024;

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

/** The HTTP server with every route; nothing listens yet. */
export async function createApp(context: Context): Promise<App> {
  const app: App = Fastify({
    serverFactory: (handler): Server => {
      const { tls } = context;
      const server = context.secure && tls ? createHttpsServer(tls, handler) : createHttpServer(handler);
      // Slow headers or bodies cost a socket, not the server.
      server.headersTimeout = 10_000;
      server.requestTimeout = 30_000;
      return server;
    },
    loggerInstance: context.log.child({ part: 'web' }) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  addErrors(app, context);
  addHttpMetrics(app, context);
  await app.register(cookie);
  addAuthentication(app, context);
  await addGuards(app, context);
  addAuthorization(app);
  await addOpenApi(app, version);
  for (const addRoutes of ROUTES) addRoutes(app, context);
  await addConsole(app);
  await app.ready();
  return app;
}
