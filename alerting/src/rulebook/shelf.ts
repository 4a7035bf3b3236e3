import type { Rule, RuleProblem, RuleRecord } from '@smart-fire/core';
import {
  type RuleTable,
  ruleCommonFields,
  ruleMode,
  ruleOverride,
  ruleSchedule,
  ruleScope,
} from '@smart-fire/core/node';
import { Check, type CheckDeps, type RuleContent, type UncheckedContent } from './check.ts';
import type { PlacePaths } from './place-paths.ts';
import { contentOf, fromDocument, knownPaths, toDocument } from './stored-rule.ts';

interface Entry {
  /** What is in force; null = a stored rule that this program cannot run. */
  rule: Rule | null;
  record: RuleRecord;
}

interface Stamp {
  version: number;
  at: number;
  by: string;
}

type ShelfDeps = Omit<CheckDeps, 'seenFrom'> & { places: PlacePaths };

/** All rules in memory: what we ship, with what is stored on top. */
export class Shelf {
  readonly shipped: ReadonlyMap<string, Rule>;
  readonly #entries = new Map<string, Entry>();
  /** Also of deleted rules: a version number never comes again. */
  readonly #versions = new Map<string, number>();
  readonly #deps: ShelfDeps;
  #inForce: readonly Rule[] | null = null;

  constructor(presets: readonly Rule[], deps: ShelfDeps) {
    this.#deps = deps;
    this.shipped = new Map(presets.map((preset) => [preset.id, this.#withDefaults(preset)]));
    for (const preset of this.shipped.values()) this.#put(preset, preset, null, []);
  }

  load(rows: readonly RuleTable[]): void {
    for (const { id, version, document, changed_at, changed_by } of rows) {
      this.#versions.set(id, version);
      const stamp = { version, at: changed_at, by: changed_by };
      if (document === null) this.apply(id, null, stamp);
      else this.#stored(id, document, stamp);
    }
  }

  get(id: string): RuleRecord | undefined {
    return this.#entries.get(id)?.record;
  }

  /** By id. */
  all(): RuleRecord[] {
    return [...this.#entries.values()].map(({ record }) => record).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  inForce(): readonly Rule[] {
    this.#inForce ??= [...this.#entries.values()].flatMap(({ rule }) => rule ?? []);
    return this.#inForce;
  }

  nextVersion(id: string): number {
    return (this.#versions.get(id) ?? (this.shipped.has(id) ? 1 : 0)) + 1;
  }

  /** False for a preset that nobody has touched yet: its version 1 is nowhere written. */
  hasHistory(id: string): boolean {
    return this.#versions.has(id);
  }

  document(id: string, content: RuleContent | null): string | null {
    return content && toDocument(content, this.shipped.get(id), this.#deps.places.known(content));
  }

  /** A change that is committed; null = deleted, or as shipped again. */
  apply(id: string, content: RuleContent | null, stamp: Stamp): void {
    this.#versions.set(id, stamp.version);
    const shipped = this.shipped.get(id);
    const now = content ?? shipped;
    if (!now) {
      this.#entries.delete(id);
      this.#inForce = null;
      return;
    }
    this.#put(this.#rule(id, now, stamp.version), shipped, stamp, []);
  }

  /** Another version of the program wrote it: what it cannot use is told, and what we ship is in force instead. */
  #stored(id: string, document: string, stamp: Stamp): void {
    const shipped = this.shipped.get(id);
    if (!shipped && id.startsWith('preset:')) return;
    this.#deps.places.learn(knownPaths(document));
    const raw = fromDocument(document, shipped, id);
    const check = new Check({ ...this.#deps, seenFrom: '/' });
    const content = check.content(raw, raw as RuleContent);
    if (content) {
      this.apply(id, content, stamp);
      return;
    }
    const shown = this.#rule(id, shipped ?? readable(id, raw), stamp.version);
    this.#put(shown, shipped, stamp, check.problems, shipped ? shown : null);
  }

  #rule(id: string, content: RuleContent, version: number): Rule {
    return { id, version, ...contentOf(content), preset: this.shipped.has(id) };
  }

  #put(
    rule: Rule,
    shipped: Rule | undefined,
    stamp: Stamp | null,
    problems: RuleProblem[],
    inForce: Rule | null = rule,
  ): void {
    const record: RuleRecord = {
      ...rule,
      edited: problems.length > 0 || !shipped || toDocument(rule, shipped) !== null,
      shipped: shipped ? { ...contentOf(shipped) } : null,
      ...{ changedAt: stamp?.at ?? null, changedBy: stamp?.by ?? null, problems },
    };
    this.#entries.set(rule.id, { rule: inForce, record });
    this.#inForce = null;
  }

  /** Parameters that a preset leaves to its kind's defaults are written out, so that an edit can be compared with them. */
  #withDefaults(preset: Rule): Rule {
    const described = this.#deps.kinds.get(preset.definition.type);
    if (!described) throw new Error(`${preset.id}: no kind of rule ${preset.definition.type}`);
    const parameters = described.kind.params.parse(preset.definition) as Record<string, unknown>;
    return { ...preset, definition: { ...preset.definition, ...parameters } };
  }
}

/** A stored rule that this program cannot use, as far as it can be shown: it is off, and may be deleted. */
function readable(id: string, raw: UncheckedContent): RuleContent {
  const common = ruleCommonFields.safeParse(raw.definition);
  const { type, ...words } = {
    ...{ type: '', class: 'supervisory' as const, zh: id, en: id, source: { zh: '', en: '' } },
    ...(common.success ? (raw.definition as object) : {}),
  };
  const overrides = ruleOverride.array().safeParse(raw.overrides);
  return {
    definition: { ...words, id, type: String(type) },
    scope: ruleScope.safeParse(raw.scope).data ?? {},
    mode: ruleMode.safeParse(raw.mode).data ?? 'off',
    schedule: ruleSchedule.safeParse(raw.schedule).data ?? null,
    overrides: overrides.success ? (overrides.data as RuleContent['overrides']) : [],
  };
}
