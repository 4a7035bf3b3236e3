import {
  ALARM_CLASSES,
  LEVELS,
  RULE_MODES,
  SCOPE_LEVELS,
  type Schedule,
  type Scope,
  WITHHELD_REASONS,
} from '@smart-fire/core';
import { ruleMode, ruleOverride, ruleSchedule, ruleScope } from '@smart-fire/core/node';
import { z } from 'zod';
import { ms } from './list.ts';
import { ruleDefinition, words } from './things.ts';

// What the API takes and answers about rules. New fields may be added, none is ever taken away or changes its meaning.

export const scope = ruleScope.meta({ id: 'Scope', description: 'All that is given must match; {} is everything' });
const schedule = ruleSchedule.meta({
  id: 'Schedule',
  description: 'Raises only inside its windows, in TIME_ZONE',
});
const override = ruleOverride.meta({ id: 'RuleOverride' });
/** Behind an answer nothing is refused: what another program version stored is shown as it is. */
const anyScope = z.looseObject({}).meta({ description: 'Scope' }) as unknown as z.ZodType<Scope>;
const anySchedule = (z.looseObject({}) as unknown as z.ZodType<Schedule>)
  .nullable()
  .meta({ description: 'Schedule; null = always' });

const content = z.object({
  definition: ruleDefinition,
  scope: anyScope,
  mode: z.enum(RULE_MODES),
  schedule: anySchedule,
});
const overrides = z.array(z.object({ id: z.string(), scope: anyScope, changes: z.record(z.string(), z.unknown()) }));

export const rule = z
  .object({
    id: z.string(),
    version: z.number().int(),
    kind: z.string().describe('First of the sensor kinds it is for, or empty'),
    ...content.shape,
    preset: z.boolean(),
    edited: z.boolean().describe('Differs from what the program ships; always true for a rule of your own'),
    shipped: content.nullable().describe('What the program ships now; null for a rule of your own'),
    overrides,
    changedAt: ms.nullable(),
    changedBy: z.string().nullable(),
    changedByName: z.string().nullable(),
    raised: z.number().int().describe('Alarms of the last 30 days in your scope'),
    shadowRaised: z.number().int().describe('What it would have raised in shadow in the last 30 days in your scope'),
    withheld: z.number().int().describe('Withheld by its schedule or by maintenance in the last 30 days in your scope'),
    errors: z.number().int().describe('How often it failed since the start of the server'),
    lastError: z.string().nullable(),
    problems: z
      .array(z.object({ path: z.string(), ...words.shape }))
      .describe('Why what is stored is not in force: another version of the program wrote it'),
  })
  .meta({ id: 'Rule' });

export const ruleDraft = z.strictObject({
  definition: z.record(z.string(), z.unknown()).describe('type, class, zh, en, source? and the parameters of its kind'),
  scope,
  mode: ruleMode,
  schedule: schedule.nullable().default(null),
});

export const ruleChange = z.strictObject({
  version: z.number().int().describe('The version you looked at'),
  definition: z
    .record(z.string(), z.unknown())
    .exactOptional()
    .describe('With `type` the whole definition, without it only the parameters named'),
  scope: scope.exactOptional(),
  mode: ruleMode.exactOptional(),
  schedule: schedule.nullable().exactOptional(),
});

export const newOverride = z.strictObject({
  version: z.number().int(),
  scope: override.shape.scope,
  changes: override.shape.changes.describe('Parameters, mode or schedule'),
});

export const ruleVersion = z
  .object({
    version: z.number().int(),
    at: ms,
    actor: z.string(),
    actorName: z.string().nullable(),
    action: z.enum(['shipped', 'create', 'update', 'delete', 'revert', 'override', 'override-remove']),
    rule: content.extend({ overrides }).nullable().describe('The whole rule as of this version; null = deleted'),
    changes: z
      .array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() }))
      .describe('Against the version before'),
  })
  .meta({ id: 'RuleVersion' });

export const withheldRaise = z
  .object({
    id: z.string(),
    cause: z.string(),
    why: z.enum(WITHHELD_REASONS),
    rule: z.string(),
    ruleName: words,
    maintenance: z.string().nullable(),
    class: z.enum(ALARM_CLASSES),
    level: z.enum(LEVELS).nullable(),
    device: z.string(),
    deviceName: z.string(),
    point: z.string(),
    site: z.string(),
    siteName: z.string(),
    zone: z.string().nullable(),
    raisedAt: ms,
    overAt: ms.nullable(),
    count: z.number().int(),
    explanation: words,
  })
  .meta({ id: 'WithheldRaise' });

export const ruleKind = z
  .object({
    type: z.string(),
    ...words.shape,
    subject: z.enum(['series', 'device', 'zone']),
    schema: z
      .record(z.string(), z.unknown())
      .describe(
        'JSON schema of the parameters; each property has zh, en and unit (`metric` = that of the rule’s metric)',
      ),
    learns: z.boolean(),
  })
  .meta({ id: 'RuleKind' });

export const ruleInForce = z
  .object({
    rule: z.string(),
    mode: z.enum(RULE_MODES),
    schedule: anySchedule,
    definition: ruleDefinition,
    from: z
      .record(z.string(), z.enum([...SCOPE_LEVELS, 'rule']))
      .describe('Where each changed parameter comes from; what is not named is the rule’s own'),
  })
  .meta({ id: 'RuleInForce' });

export const learned = z.object({
  items: z
    .array(z.object({ point: z.string(), metric: z.string(), centre: z.number(), low: z.number(), high: z.number() }))
    .nullable()
    .describe('null = it learns nothing, or is still learning'),
});

export const maintenance = z
  .object({
    id: z.string(),
    scope: anyScope,
    from: ms,
    to: ms,
    reason: z.string(),
    by: z.string(),
    byName: z.string().nullable(),
    createdAt: ms,
    endedBy: z.string().nullable().describe('Who ended it before its time'),
    withheld: z.number().int().describe('What it withholds now, in your scope'),
  })
  .meta({ id: 'Maintenance' });

export const importPlan = z
  .object({
    created: z.array(z.string()),
    changed: z.array(z.string()),
    unchanged: z.array(z.string()),
    errors: z.array(z.object({ line: z.number().int(), path: z.string(), ...words.shape })),
  })
  .meta({ id: 'ImportPlan' });

const line = z.array(z.tuple([ms, z.number()]));

export const backtest = z
  .object({
    readings: z.number().int(),
    rows: z.number().int(),
    warmUp: z.number().int(),
    alarms: z.number().int(),
    episodes: z
      .array(z.object({ from: ms, to: ms.nullable(), level: z.enum(LEVELS).nullable(), sentence: words }))
      .describe('The first 1,000; `to` null = still there at the end'),
    timeInAlarm: ms.describe('ms with at least one alarm'),
    series: z.array(
      z.object({
        device: z.string(),
        deviceName: z.string(),
        point: z.string(),
        metric: z.string(),
        points: line,
        learned: z
          .array(z.tuple([ms, z.number(), z.number()]))
          .describe('What the rule held for normal: time, low, high'),
      }),
    ),
    score: line.describe('1 is the limit'),
    remarks: z.array(z.string()).describe('Sentences on what was odd, in the language asked for'),
  })
  .meta({ id: 'Backtest' });
