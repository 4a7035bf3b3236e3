import { z } from 'zod';
import { callerOf } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { fromCursor, listOf, page, toCursor } from '../schemas/list.ts';
import { auditEntry } from '../schemas/things.ts';
import { AuditTrail } from '../store/audit.ts';

export function addAuditRoutes(app: App, { state, registry, credentials }: Context): void {
  const trail = new AuditTrail(state, registry, credentials);
  app.get(
    '/api/v1/audit',
    {
      config: { permission: 'audit.read' },
      schema: {
        summary: 'Who did what in my scope, newest first',
        querystring: z.strictObject({
          ...page,
          actor: z.string().max(200).optional(),
          action: z.string().max(200).optional(),
          subject: z.string().max(200).optional().describe('`{entity}:{id}`'),
        }),
        response: answers(200, listOf(auditEntry)),
      },
    },
    async (request) => {
      const { scope } = callerOf(request).person;
      const { cursor, limit, ...filter } = request.query;
      const before = fromCursor(cursor, z.number().int()) ?? Number.MAX_SAFE_INTEGER;
      const found = await trail.page({ scope, ...filter, before, limit });
      const items = found.rows.map((row) => ({ ...row, actorName: credentials.nameOf(row.actor) }));
      return { items, next: found.before === null ? null : toCursor(found.before) };
    },
  );
}
