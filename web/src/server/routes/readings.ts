import { DEVICE_ID, FireError, isThresholdRule, METRIC_NAMES, METRICS, ruleInForce } from '@smart-fire/core';
import { z } from 'zod';
import { allowed } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { history } from '../schemas/history.ts';
import { fromCursor, page, queryTime, toCursor } from '../schemas/list.ts';

const DAY_MS = 86_400_000;

export function addReadingRoutes(app: App, { registry, readings, ruleBook, clock }: Context): void {
  app.get(
    '/api/v1/devices/:id/readings',
    {
      config: { permission: 'reading.read' },
      schema: {
        summary: 'History of one series, with the limits of the rules on it',
        description:
          'Raw readings, a page at a time; with `points`, buckets. Readings older than READINGS_KEEP_DAYS are no longer there raw: ' +
          'buckets go on from hourly trends, kept for TRENDS_KEEP_DAYS (not with InfluxDB), in which an hour counts to the bucket it begins in.',
        params: z.object({ id: z.string().regex(DEVICE_ID) }),
        querystring: z.strictObject({
          metric: z.enum(METRIC_NAMES),
          point: z.string().max(64).default(''),
          from: queryTime.optional().describe('Inclusive; 24 h before `to` when absent'),
          to: queryTime.optional().describe('Exclusive; now when absent'),
          points: z.coerce.number().int().min(1).max(2000).optional().describe('Downsample to at most so many buckets'),
          ...page,
        }),
        response: answers(200, history),
      },
    },
    async (request) => {
      const { metric, point, points, cursor, limit } = request.query;
      const found = registry.devices.get(request.params.id);
      const device = allowed(request, 'reading.read', found, found?.path ?? '', 'device', request.params.id);
      // A reading of this very millisecond belongs to "until now".
      const to = request.query.to ?? clock.now() + 1;
      const from = fromCursor(cursor, z.number().int()) ?? request.query.from ?? to - DAY_MS;
      if (from > to) throw new FireError('FIRE_REQUEST_INVALID', { problems: 'from > to' });
      const query = { device: device.id, point, metric, from, to };
      const limits = ruleBook.current().rules.flatMap((one) => {
        const found = isThresholdRule(one.definition) ? ruleInForce(one, device, registry) : null;
        if (!found || found.mode === 'off' || !isThresholdRule(found.definition)) return [];
        if (found.definition.metric !== metric) return [];
        const { class: alarmClass, direction, limit, hysteresis, forMs, zh, en } = found.definition;
        return [{ rule: one.id, class: alarmClass, direction, limit, hysteresis, forMs, zh, en }];
      });
      const answer = { metric, unit: METRICS[metric].unit, limits };
      if (points !== undefined) return { ...answer, points: await readings.buckets(query, points), next: null };
      const rows = await readings.points(query, limit + 1);
      const shown = rows.slice(0, limit);
      const next = rows.length > limit ? toCursor(shown.at(-1)![0] + 1) : null;
      return { ...answer, points: shown, next };
    },
  );
}
