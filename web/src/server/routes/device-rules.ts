import { DEVICE_ID, FireError, ruleInForce } from '@smart-fire/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { actorOf, allowed, callerOf } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { listOf } from '../schemas/list.ts';
import { ruleInForce as inForce, learned } from '../schemas/rules.ts';
import { noun } from '../words.ts';

const params = z.object({ id: z.string().regex(DEVICE_ID) });
const both = params.extend({ rule: z.string().max(200) });

export function addDeviceRuleRoutes(app: App, { registry, ruleBook, liveRules, state }: Context): void {
  const find = (request: FastifyRequest, id: string, permission: 'rule.read' | 'rule.write') => {
    const found = registry.devices.get(id);
    return allowed(request, permission, found, found?.path ?? '', 'device', id);
  };
  const findBoth = (request: FastifyRequest, ids: z.infer<typeof both>, permission: 'rule.read' | 'rule.write') => {
    const device = find(request, ids.id, permission);
    const rule = ruleBook.rule(ids.rule, callerOf(request).person.scope);
    if (!rule || !ruleInForce(rule, device, registry))
      throw new FireError('FIRE_NOT_FOUND', { what: noun('rule', ids.rule) });
    return { device, rule };
  };

  app.get(
    '/api/v1/devices/:id/rules',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'Rules for this device, overrides resolved, with where each changed parameter comes from',
        params,
        response: answers(200, listOf(inForce)),
      },
    },
    async (request) => {
      const device = find(request, request.params.id, 'rule.read');
      const { rules } = ruleBook.current();
      return { items: rules.flatMap((rule) => ruleInForce(rule, device, registry) ?? []), next: null };
    },
  );

  app.get(
    '/api/v1/devices/:id/rules/:rule/learned',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'What a rule holds for normal of this device',
        params: both,
        response: answers(200, learned),
      },
    },
    async (request) => {
      const { device, rule } = findBoth(request, request.params, 'rule.read');
      return { items: liveRules.learned(rule.id, device.id) };
    },
  );

  app.post(
    '/api/v1/devices/:id/rules/:rule/reset',
    {
      config: { permission: 'rule.write' },
      schema: {
        summary: 'Forget what the rule has learned of this device (for a rule of a zone: of its zone)',
        params: both,
        response: answers(204, z.undefined()),
      },
    },
    async (request, reply) => {
      const { device, rule } = findBoth(request, request.params, 'rule.write');
      await state.transaction((trx) =>
        state.audit(trx, {
          ...{ actor: actorOf(callerOf(request)), action: 'rule.reset', subject: `rule:${rule.id}` },
          detail: { device: device.id, path: device.path },
        }),
      );
      liveRules.reset(rule.id, device.id);
      return reply.status(204).send();
    },
  );
}
