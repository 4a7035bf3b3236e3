import { Histogram } from '@smart-fire/core/node';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';

export function addHttpMetrics(app: App, { metrics }: Context): void {
  const duration = new Histogram({
    name: 'smartfire_http_request_seconds',
    help: 'HTTP requests by route pattern, method and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.01, 0.05, 0.2, 1, 5],
    registers: [metrics],
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    duration.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
}
