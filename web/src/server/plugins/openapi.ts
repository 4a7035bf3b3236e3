import swagger from '@fastify/swagger';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { App } from '../app.ts';

/** OpenAPI 3.1 made from the routes' own schemas, at `/api/v1/openapi.json`. */
export async function addOpenApi(app: App, version: string): Promise<void> {
  const transform = createJsonSchemaTransform({ skipList: [] });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'smart-fire',
        version,
        description: 'Times are integer milliseconds UTC. Errors are RFC 9457 problems with a stable `code`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: '__Host-smartfire', description: '`smartfire` without TLS' },
          token: { type: 'http', scheme: 'bearer' },
        },
      },
    },
    // Each operation shows what right it asks for, as the server itself checks it.
    transform: (document) => {
      const { schema, url } = transform(document as Parameters<typeof transform>[0]) as {
        schema: Record<string, unknown>;
        url: string;
      };
      const { config } = document.route;
      const tags = [url.split('/')[3] ?? 'server'];
      if (!schema || schema.hide) return { schema, url } as never;
      const security = config?.public ? [] : [{ session: [] }, { token: [] }];
      const permission = config?.permission;
      const extra = permission ? { 'x-permission': permission } : {};
      return { schema: { ...schema, tags, security, ...extra }, url } as never;
    },
    transformObject: jsonSchemaTransformObject as never,
  });
  app.get('/api/v1/openapi.json', { config: { public: true }, schema: { hide: true } }, () => app.swagger());
}
