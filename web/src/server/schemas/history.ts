import { ALARM_CLASSES, METRIC_NAMES } from '@smart-fire/core';
import { z } from 'zod';
import { ms } from './list.ts';

/** History of one series. */
export const history = z
  .object({
    metric: z.enum(METRIC_NAMES),
    unit: z.string(),
    points: z
      .array(z.union([z.tuple([ms, z.number()]), z.tuple([ms, z.number(), z.number(), z.number()])]))
      .describe('[time, value], or [start of bucket, min, mean, max] when `points` was asked for'),
    next: z.string().nullable(),
    limits: z.array(
      z.object({
        rule: z.string(),
        class: z.enum(ALARM_CLASSES),
        direction: z.enum(['above', 'below']),
        limit: z.number(),
        hysteresis: z.number(),
        forMs: z.number(),
        zh: z.string(),
        en: z.string(),
      }),
    ),
  })
  .meta({ id: 'History' });
