import { FireError, Words } from '@smart-fire/core';
import { z } from 'zod';
import { callerOf } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { importPlan } from '../schemas/rules.ts';
import { ruleActor } from './rules.ts';

const TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/plain'];
/** A thousand rules with their comments. */
const FILE_LIMIT = 1024 * 1024;

export function addRuleFileRoutes(app: App, { ruleBook }: Context): void {
  app.addContentTypeParser(TYPES.slice(0, 3), { parseAs: 'string', bodyLimit: FILE_LIMIT }, (_request, body, done) =>
    done(null, body),
  );

  app.get(
    '/api/v1/rules.yaml',
    {
      config: { permission: 'rule.read' },
      schema: {
        summary: 'Rules that act in my scope, as YAML with units',
        response: {
          ...answers(200, z.any()),
          200: { description: 'YAML', content: { 'application/yaml': { schema: z.string() } } },
        },
      },
    },
    async (request, reply) =>
      reply.type('application/yaml; charset=utf-8').send(ruleBook.exportYaml(callerOf(request).person.scope)),
  );

  app.post(
    '/api/v1/rules/import',
    {
      bodyLimit: FILE_LIMIT,
      config: { permission: 'rule.write' },
      schema: {
        summary: 'Import rules from YAML: all or nothing; other rules stay as they are',
        consumes: TYPES,
        querystring: z.strictObject({ dryRun: z.stringbool().default(false).describe('Only say what would happen') }),
        body: z.string(),
        response: answers(200, importPlan),
      },
    },
    async (request) => {
      const { dryRun } = request.query;
      const plan = await ruleBook.importYaml(ruleActor(request), request.body, { dryRun });
      if (dryRun || plan.errors.length === 0) return plan;
      const found = plan.errors;
      const zh = found.map((one) => `第 ${one.line} 行${one.path && `,${one.path}`}:${one.zh}`).join(';');
      const en = found.map((one) => `line ${one.line}${one.path && `, ${one.path}`}: ${one.en}`).join('; ');
      const fields = found.map((one) => ({
        ...{ path: one.path, zh: `第 ${one.line} 行:${one.zh}`, en: `line ${one.line}: ${one.en}` },
      }));
      throw new FireError('FIRE_RULE_INVALID', { problems: new Words(zh, en), fields });
    },
  );
}
