import { FireError, type RuleActor, WITHHELD_REASONS } from '@smart-fire/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { actorOf, callerOf } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { byKey, fromCursor, listOf, page, pageOf, toCursor } from '../schemas/list.ts';
import { newOverride, rule, ruleChange, ruleDraft, ruleKind, ruleVersion, withheldRaise } from '../schemas/rules.ts';
import { noun } from '../words.ts';

const id = z.string().max(200);
const params = z.object({ id });
const version = z.coerce.number().int();

export function ruleActor(request: FastifyRequest): RuleActor {
  const caller = callerOf(request);
  return { id: actorOf(caller), scope: caller.person.scope };
}

export function addRuleRoutes(app: App, { ruleBook, rules: views, credentials }: Context): void {
  const scopeOf = (request: FastifyRequest) => callerOf(request).person.scope;
  const find = (request: FastifyRequest, wanted: string) => {
    const found = ruleBook.rule(wanted, scopeOf(request));
    if (!found) throw new FireError('FIRE_NOT_FOUND', { what: noun('rule', wanted) });
    return found;
  };

  app.get(
    '/api/v1/rule-kinds',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'Kinds of rules, with the schemas of their parameters',
        response: answers(200, listOf(ruleKind)),
      },
    },
    async () => ({ items: ruleBook.kinds(), next: null }),
  );

  app.get(
    '/api/v1/rules',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'Rules that act in my scope, by id',
        querystring: z.strictObject(page),
        response: answers(200, listOf(rule)),
      },
    },
    async (request) => {
      const key = (item: { id: string }) => item.id;
      const { cursor, limit } = request.query;
      const sorted = ruleBook.rules(scopeOf(request)).sort(byKey(key));
      const { items, next } = pageOf(sorted, key, cursor, limit);
      return { items: await views.items(items, scopeOf(request)), next };
    },
  );

  app.post(
    '/api/v1/rules',
    {
      config: { permission: 'rule.write' },
      schema: { summary: 'Make a rule of your own', body: ruleDraft, response: answers(201, rule) },
    },
    async (request, reply) => {
      const made = await ruleBook.create(ruleActor(request), request.body);
      return reply.status(201).send(await views.item(made, scopeOf(request)));
    },
  );

  app.get(
    '/api/v1/rules/:id',
    {
      config: { permission: 'rule.read' },
      schema: { summary: 'One rule', params, response: answers(200, rule) },
    },
    async (request) => views.item(find(request, request.params.id), scopeOf(request)),
  );

  app.patch(
    '/api/v1/rules/:id',
    {
      config: { permission: 'rule.write' },
      schema: {
        summary: 'Change a rule, as of the version you looked at',
        params,
        body: ruleChange,
        response: answers(200, rule),
      },
    },
    async (request) => {
      const { version: seen, ...change } = request.body;
      const changed = await ruleBook.change(ruleActor(request), request.params.id, seen, change);
      return views.item(changed, scopeOf(request));
    },
  );

  app.delete(
    '/api/v1/rules/:id',
    {
      config: { permission: 'rule.write' },
      schema: {
        summary: 'Delete a rule of your own; a preset goes back to what we ship',
        params,
        querystring: z.strictObject({ version: version.optional() }),
        response: answers(204, z.undefined()),
      },
    },
    async (request, reply) => {
      await ruleBook.remove(ruleActor(request), request.params.id, request.query.version);
      return reply.status(204).send();
    },
  );

  app.post(
    '/api/v1/rules/:id/overrides',
    {
      config: { permission: 'rule.write' },
      schema: {
        summary: 'Change a rule for one area, site, zone or device; replaces what is there for that place',
        params,
        body: newOverride,
        response: answers(201, rule),
      },
    },
    async (request, reply) => {
      const { version: seen, ...override } = request.body;
      const changed = await ruleBook.putOverride(ruleActor(request), request.params.id, seen, override);
      return reply.status(201).send(await views.item(changed, scopeOf(request)));
    },
  );

  app.delete(
    '/api/v1/rules/:id/overrides/:override',
    {
      config: { permission: 'rule.write' },
      schema: {
        summary: 'Remove an override',
        params: params.extend({ override: z.string().max(64) }),
        querystring: z.strictObject({ version }),
        response: answers(200, rule),
      },
    },
    async (request) => {
      const { id, override } = request.params;
      const changed = await ruleBook.removeOverride(ruleActor(request), id, request.query.version, override);
      return views.item(changed, scopeOf(request));
    },
  );

  app.get(
    '/api/v1/rules/:id/versions',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'Who changed what and when, newest first',
        params,
        querystring: z.strictObject(page),
        response: answers(200, listOf(ruleVersion)),
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const { id } = find(request, request.params.id);
      const before = fromCursor(cursor, z.number().int()) ?? Number.MAX_SAFE_INTEGER;
      const rows = await ruleBook.versions(id, { scope: scopeOf(request), before, limit });
      const items = rows.map((row) => ({ ...row, actorName: credentials.nameOf(row.actor) }));
      return { items, next: rows.length === limit ? toCursor(rows.at(-1)!.version) : null };
    },
  );

  app.get(
    '/api/v1/rules/:id/shadow',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'What the rule saw and raised no alarm for, newest first',
        params,
        querystring: z.strictObject({ ...page, why: z.enum(WITHHELD_REASONS).optional() }),
        response: answers(200, listOf(withheldRaise)),
      },
    },
    async (request) => {
      const { cursor, limit, why } = request.query;
      const { id } = find(request, request.params.id);
      const before = fromCursor(cursor, z.object({ raisedAt: z.number().int(), id: z.string() }));
      const query = { rule: id, scope: scopeOf(request), limit, ...(why && { why }), ...(before && { before }) };
      const rows = await ruleBook.withheld(query);
      const last = rows.length === limit ? rows.at(-1)! : null;
      const next = last && toCursor({ raisedAt: last.raisedAt, id: last.id });
      return { items: rows.map((row) => views.withheld(row)), next };
    },
  );
}
