import { z } from 'zod';
import { ALARM_CLASSES } from '../model/event.ts';
import { RULE_MODES, type Schedule, type Scope } from '../model/rule.ts';

// Shapes of what surrounds a kind's own parameters, wherever it is read from: HTTP, YAML, the state store.

const words = (max: number) => z.strictObject({ zh: z.string().max(max), en: z.string().max(max) });
const name = z.string().trim().min(1).max(200);
const place = z.string().min(1).max(64);
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM');

export const ruleCommonFields = z.object({
  class: z.enum(ALARM_CLASSES),
  zh: name,
  en: name,
  source: words(500).default({ zh: '自定义', en: 'Own rule' }),
});

export const ruleMode = z.enum(RULE_MODES);

export const ruleScope: z.ZodType<Scope> = z.strictObject({
  kinds: z.array(place).min(1).max(50).exactOptional(),
  area: place.exactOptional(),
  site: place.exactOptional(),
  zone: place.exactOptional(),
  device: place.exactOptional(),
});

export const ruleSchedule: z.ZodType<Schedule> = z.strictObject({
  windows: z
    .array(
      z.strictObject({
        days: z.array(z.number().int().min(1).max(7)).min(1).max(7),
        from: clockTime,
        to: clockTime,
      }),
    )
    .min(1)
    .max(20),
});

export const ruleOverride = z.strictObject({
  id: z.string().min(1).max(64),
  scope: ruleScope,
  changes: z.record(z.string().max(64), z.unknown()),
});
