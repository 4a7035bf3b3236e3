import { isDeepStrictEqual } from 'node:util';
import { FireError, type Rule, type RuleAction, type RuleDefinition } from '@smart-fire/core';
import { z } from 'zod';
import type { RuleContent, UncheckedContent } from './check.ts';
import type { KnownPaths } from './place-paths.ts';

/** Format of the documents in the state store. */
const FORMAT = 1;

/** Of a preset only what people changed is stored, so that everything else follows what later versions of the program ship. */
const storedPreset = z.object({
  format: z.literal(FORMAT),
  changes: z.record(z.string(), z.unknown()),
  scope: z.unknown().optional(),
  mode: z.unknown().optional(),
  schedule: z.unknown().optional(),
  overrides: z.unknown().optional(),
});

const storedRule = z.object({
  format: z.literal(FORMAT),
  definition: z.record(z.string(), z.unknown()),
  scope: z.unknown(),
  mode: z.unknown(),
  schedule: z.unknown(),
  overrides: z.unknown(),
});

const storedPlaces = z.object({ places: z.record(z.string(), z.string()).catch({}) });

/** One rule of a change: what it is to become, null = gone or as shipped. */
export interface Step {
  id: string;
  action: RuleAction;
  after: RuleContent | null;
}

export function contentOf({ definition, scope, mode, schedule, overrides }: RuleContent): RuleContent {
  return { definition, scope, mode, schedule, overrides };
}

/** The document to store, with where its places are; null = nothing differs from what we ship. */
export function toDocument(content: RuleContent, shipped: Rule | undefined, places: KnownPaths = {}): string | null {
  if (!shipped) return JSON.stringify({ format: FORMAT, ...contentOf(content), places });
  const changes = changedParameters(content.definition, shipped.definition);
  const rest = Object.entries(contentOf(content)).filter(
    ([field, value]) => field !== 'definition' && !isDeepStrictEqual(value, shipped[field as keyof Rule]),
  );
  if (Object.keys(changes).length + rest.length === 0) return null;
  return JSON.stringify({ format: FORMAT, changes, ...Object.fromEntries(rest), places });
}

/** Where the places were that a stored document names. */
export function knownPaths(document: string): KnownPaths {
  return storedPlaces.parse(JSON.parse(document)).places;
}

/** What a stored document makes of the preset, or the rule of one's own it is; still to be checked. */
export function fromDocument(document: string, shipped: Rule | undefined, id: string): UncheckedContent {
  const parsed = (shipped ? storedPreset : storedRule).safeParse(JSON.parse(document));
  if (!parsed.success)
    throw new FireError('FIRE_FORMAT_UNKNOWN', {
      file: `rule ${id}`,
      found: String((JSON.parse(document) as { format?: unknown }).format),
      known: FORMAT,
    });
  if (!shipped) return parsed.data as unknown as UncheckedContent;
  const { changes, scope, mode, schedule, overrides } = parsed.data as z.infer<typeof storedPreset>;
  return {
    definition: { ...shipped.definition, ...changes },
    scope: scope ?? shipped.scope,
    mode: mode ?? shipped.mode,
    schedule: schedule === undefined ? shipped.schedule : schedule,
    overrides: overrides ?? shipped.overrides,
  };
}

/** Parameters of `definition` that differ from `base`. */
function changedParameters(definition: RuleDefinition, base: RuleDefinition): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(definition).filter(([name, value]) => !isDeepStrictEqual(value, base[name])),
  );
}
