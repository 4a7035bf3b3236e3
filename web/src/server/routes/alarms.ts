import { ALARM_CLASSES, ALARM_STATES, DEVICE_ID, type Permission, VERDICTS } from '@smart-fire/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { actorOf, allowed, callerOf } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { commaList, fromCursor, id, listOf, page, queryTime, toCursor } from '../schemas/list.ts';
import { alarm, alarmDetail } from '../schemas/things.ts';

const params = z.object({ id: z.string().max(100) });
const position = z.tuple([z.number(), z.string()]);
const note = z.string().trim().max(1000);
const version = z.number().int().optional().describe('The version you saw; 409 when the alarm has moved on');

export function addAlarmRoutes(app: App, context: Context): void {
  const { book, registry } = context;
  const views = context.alarms;

  const find = async (request: FastifyRequest, id: string, permission: Permission) => {
    const found = await book.get(id);
    return allowed(request, permission, found, found ? views.pathOf(found) : '', 'alarm', id);
  };
  const actor = (request: FastifyRequest) => {
    const caller = callerOf(request);
    return { id: actorOf(caller), name: caller.person.name };
  };

  app.get(
    '/api/v1/alarms',
    {
      config: { permission: 'alarm.read' },
      schema: {
        summary: 'Alarms in my scope, newest first',
        querystring: z.strictObject({
          ...page,
          site: id.optional(),
          device: z.string().regex(DEVICE_ID).optional(),
          class: commaList(ALARM_CLASSES).optional(),
          state: commaList(ALARM_STATES).optional(),
          from: queryTime.optional().describe('Raised at or after'),
          to: queryTime.optional().describe('Raised before'),
        }),
        response: answers(200, listOf(alarm)),
      },
    },
    async (request) => {
      const { scope } = callerOf(request).person;
      const { limit, cursor, site, device, class: classes, state: states, from, to } = request.query;
      const [raisedAt, id] = fromCursor(cursor, position) ?? [];
      const before = raisedAt === undefined || id === undefined ? undefined : { raisedAt, id };
      const found = await book.list({ scope, site, device, classes, states, from, to, before, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next = found.length > limit && last ? toCursor([last.raisedAt, last.id]) : null;
      return { items: items.map((item) => views.item(item)), next };
    },
  );

  app.get(
    '/api/v1/alarms/:id',
    {
      config: { permission: 'alarm.read' },
      schema: {
        summary: 'One alarm, whom to call, and what happened so far',
        params,
        response: answers(200, alarmDetail),
      },
    },
    async (request) => {
      const found = await find(request, request.params.id, 'alarm.read');
      const timeline = await book.timeline(found.id);
      const contacts = registry.sites.get(found.site)?.contacts ?? [];
      return { ...views.item(found), contacts, timeline };
    },
  );

  app.post(
    '/api/v1/alarms/:id/acknowledge',
    {
      config: { permission: 'alarm.acknowledge' },
      schema: {
        summary: 'I have seen it and act on it',
        params,
        body: z.strictObject({ reason: note.min(1), version }),
        response: answers(200, alarm),
      },
    },
    async (request) => {
      const { id } = await find(request, request.params.id, 'alarm.acknowledge');
      const { reason, version } = request.body;
      return views.item(await book.acknowledge(id, { actor: actor(request), reason, version }));
    },
  );

  app.post(
    '/api/v1/alarms/:id/verify',
    {
      config: { permission: 'alarm.verify' },
      schema: {
        summary: 'What it really was',
        params,
        body: z.strictObject({ verdict: z.enum(VERDICTS), note: note.default(''), version }),
        response: answers(200, alarm),
      },
    },
    async (request) => {
      const { id } = await find(request, request.params.id, 'alarm.verify');
      const { verdict, note, version } = request.body;
      return views.item(await book.verify(id, { actor: actor(request), verdict, note, version }));
    },
  );

  app.post(
    '/api/v1/alarms/:id/close',
    {
      config: { permission: 'alarm.close' },
      schema: {
        summary: 'It is over',
        params,
        body: z.strictObject({ note: note.optional(), version }).nullish(),
        response: answers(200, alarm),
      },
    },
    async (request) => {
      const { id } = await find(request, request.params.id, 'alarm.close');
      const { note = '', version } = request.body ?? {};
      return views.item(await book.close(id, { actor: actor(request), note, version }));
    },
  );
}
