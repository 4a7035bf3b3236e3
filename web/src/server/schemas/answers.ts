import type { z } from 'zod';
import { problem } from '../plugins/errors.ts';

/** Responses of a route: the good one by its status, and a problem for everything else. */
export function answers<S extends number, T extends z.ZodType>(status: S, schema: T) {
  return {
    [status]: schema,
    default: { description: 'What went wrong', content: { 'application/problem+json': { schema: problem } } },
  } as { [K in S]: T };
}
