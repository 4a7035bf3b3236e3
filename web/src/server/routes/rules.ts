import { FireError } from '@smart-fire/core';
import { z } from 'zod';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { byKey, listOf, page, pageOf } from '../schemas/list.ts';
import { rule } from '../schemas/things.ts';
import { noun } from '../words.ts';

export function addRuleRoutes(app: App, { rules }: Context): void {
  app.get(
    '/api/v1/rules',
    {
      config: { permission: 'rule.read' },
      schema: { summary: 'Rules in force', querystring: z.strictObject(page), response: answers(200, listOf(rule)) },
    },
    async (request) => {
      const key = (item: { id: string }) => item.id;
      return pageOf(rules().toSorted(byKey(key)), key, request.query.cursor, request.query.limit);
    },
  );

  app.get(
    '/api/v1/rules/:id',
    {
      config: { permission: 'rule.read' },
      schema: { summary: 'One rule', params: z.object({ id: z.string().max(200) }), response: answers(200, rule) },
    },
    async (request) => {
      const found = rules().find(({ id }) => id === request.params.id);
      if (!found) throw new FireError('FIRE_NOT_FOUND', { what: noun('rule', request.params.id) });
      return found;
    },
  );
}
