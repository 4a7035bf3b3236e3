import { type BacktestResult, DEVICE_ID, FireError, type Rule, Words } from '@smart-fire/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { allowed, callerOf } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { languageOf } from '../plugins/errors.ts';
import { answers } from '../schemas/answers.ts';
import { ms } from '../schemas/list.ts';
import { backtest, scope } from '../schemas/rules.ts';
import { noun } from '../words.ts';
import { ruleActor } from './rules.ts';

const DAY_MS = 86_400_000;
/** What one backtest may take; more is for `smart-fire backtest`. */
const MOST = { days: 31, readings: 2_000_000 };
/** Waiting behind the one that runs. */
const MOST_WAITING = 5;

const over = {
  device: z.string().regex(DEVICE_ID),
  from: ms,
  to: ms.describe('Exclusive; at most 31 days after `from`'),
  warmUp: z.number().int().min(0).max(1_000_000).exactOptional().describe('Rows that teach and are not judged'),
};

export function addBacktestRoutes(app: App, context: Context): void {
  const { registry, ruleBook } = context;
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const stored = (request: FastifyRequest, id: string): Rule => {
    const found = ruleBook.rule(id, callerOf(request).person.scope);
    if (!found) throw new FireError('FIRE_NOT_FOUND', { what: noun('rule', id) });
    return found;
  };

  // Who stops the platform does not wait for one either.
  const stopping = new AbortController();
  app.addHook('preClose', async () => stopping.abort());

  /** One at a time: each takes what is left of a core. */
  async function run(
    request: FastifyRequest,
    reply: FastifyReply,
    rule: Rule,
    query: { device: string; from: number; to: number; warmUp?: number },
  ) {
    const found = registry.devices.get(query.device);
    allowed(request, 'reading.read', found, found?.path ?? '', 'device', query.device);
    if (query.from >= query.to)
      throw new FireError('FIRE_REQUEST_INVALID', {
        problems: new Words('结束时间(to)须晚于开始时间(from)', '`to` must be after `from`'),
      });
    if (query.to - query.from > MOST.days * DAY_MS) throw new FireError('FIRE_BACKTEST_TOO_MUCH', MOST);
    if (waiting > MOST_WAITING) throw new FireError('FIRE_RATE_LIMITED', { seconds: 10 });
    waiting++;
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, stopping.signal]);
    const result = turn.then((): Promise<BacktestResult> => context.backtest({ ...query, rule, signal }, MOST));
    turn = result.catch(() => undefined).finally(() => waiting--);
    const { remarks, series, ...figures } = await result;
    const language = languageOf(request.headers['accept-language']);
    const deviceName = (id: string) => registry.devices.get(id)?.name ?? id;
    return {
      ...figures,
      series: series.map((one) => ({ ...one, deviceName: deviceName(one.device) })),
      remarks: remarks.map((words) => words[language]),
    };
  }

  app.post(
    '/api/v1/rules/backtest',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'Try a rule over stored history: a definition, or the `rule` with this id',
        body: z.strictObject({
          ...over,
          rule: z.string().max(200).exactOptional(),
          definition: z.record(z.string(), z.unknown()).exactOptional(),
          scope: scope.exactOptional(),
        }),
        response: answers(200, backtest),
      },
    },
    async (request, reply) => {
      const { rule, definition, scope: where = {}, ...query } = request.body;
      if ((rule === undefined) === (definition === undefined))
        throw new FireError('FIRE_REQUEST_INVALID', {
          problems: new Words('请给出 rule 或 definition 之一', 'give either `rule` or `definition`'),
        });
      const tried =
        definition === undefined
          ? stored(request, rule!)
          : ruleBook.draft(ruleActor(request), { definition, scope: where, mode: 'on', schedule: null });
      return run(request, reply, tried, query);
    },
  );

  app.post(
    '/api/v1/rules/:id/backtest',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'Try this rule over stored history',
        params: z.object({ id: z.string().max(200) }),
        body: z.strictObject(over),
        response: answers(200, backtest),
      },
    },
    async (request, reply) => run(request, reply, stored(request, request.params.id), request.body),
  );
}
