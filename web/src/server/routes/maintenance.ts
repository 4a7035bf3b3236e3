import { FireError, type MaintenanceRecord } from '@smart-fire/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callerOf } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { fromCursor, listOf, ms, page, toCursor } from '../schemas/list.ts';
import { maintenance, scope, withheldRaise } from '../schemas/rules.ts';
import { noun } from '../words.ts';
import { ruleActor } from './rules.ts';

const params = z.object({ id: z.string().max(64) });

export function addMaintenanceRoutes(app: App, { ruleBook, rules: views, credentials }: Context): void {
  const scopeOf = (request: FastifyRequest) => callerOf(request).person.scope;
  const viewFor = (request: FastifyRequest) => {
    const withheld = ruleBook.withheldNow(scopeOf(request));
    return (window: MaintenanceRecord) => ({
      ...window,
      byName: credentials.nameOf(window.by),
      withheld: withheld.get(window.id) ?? 0,
    });
  };
  const find = (request: FastifyRequest, id: string) => {
    const found = ruleBook.maintenance(scopeOf(request)).find((window) => window.id === id);
    if (!found) throw new FireError('FIRE_NOT_FOUND', { what: noun('maintenance', id) });
    return found;
  };

  app.get(
    '/api/v1/maintenance',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'Maintenance windows that concern my scope: coming, running, and ended within 31 days',
        querystring: z.strictObject(page),
        response: answers(200, listOf(maintenance)),
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const start = fromCursor(cursor, z.number().int().min(0)) ?? 0;
      const all = ruleBook.maintenance(scopeOf(request));
      const items = all.slice(start, start + limit).map(viewFor(request));
      return { items, next: start + limit < all.length ? toCursor(start + limit) : null };
    },
  );

  app.post(
    '/api/v1/maintenance',
    {
      config: { permission: 'maintenance.write' },
      schema: {
        summary: 'Announce work: until `to` (at most 31 days) rules raise nothing but fires within the scope',
        body: z.strictObject({ scope, from: ms, to: ms, reason: z.string().trim().min(1).max(500) }),
        response: answers(201, maintenance),
      },
    },
    async (request, reply) => {
      const window = await ruleBook.announce(ruleActor(request), request.body);
      return reply.status(201).send(viewFor(request)(window));
    },
  );

  app.get(
    '/api/v1/maintenance/:id',
    {
      config: { permission: 'rule.read' },
      schema: { summary: 'One maintenance window', params, response: answers(200, maintenance) },
    },
    async (request) => viewFor(request)(find(request, request.params.id)),
  );

  app.get(
    '/api/v1/maintenance/:id/withheld',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'What the window withheld, newest first',
        params,
        querystring: z.strictObject(page),
        response: answers(200, listOf(withheldRaise)),
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const { id } = find(request, request.params.id);
      const before = fromCursor(cursor, z.object({ raisedAt: z.number().int(), id: z.string() }));
      const rows = await ruleBook.withheld({
        maintenance: id,
        scope: scopeOf(request),
        limit,
        ...(before && { before }),
      });
      const last = rows.length === limit ? rows.at(-1)! : null;
      const next = last && toCursor({ raisedAt: last.raisedAt, id: last.id });
      return { items: rows.map((row) => views.withheld(row)), next };
    },
  );

  app.delete(
    '/api/v1/maintenance/:id',
    {
      config: { permission: 'maintenance.write' },
      schema: {
        summary: 'End a running window now, or take back one that has not begun',
        params,
        response: answers(204, z.undefined()),
      },
    },
    async (request, reply) => {
      await ruleBook.endMaintenance(ruleActor(request), request.params.id);
      return reply.status(204).send();
    },
  );
}
