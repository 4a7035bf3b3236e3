import { readdirSync } from 'node:fs';
import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { describe, expect, it } from 'vitest';
import { RULE_KINDS, ruleKind } from './index.ts';

describe('rule kinds', () => {
  it('are all of the files of this folder, each under its own name', () => {
    const files = readdirSync(import.meta.dirname).filter((file) => !file.includes('.test.'));
    const kinds = files
      .map((file) => file.replace('.ts', ''))
      .filter((name) => !['index', 'kind', 'duration'].includes(name));
    expect(Object.keys(RULE_KINDS).sort()).toEqual(kinds.sort());
    for (const [name, { type }] of Object.entries(RULE_KINDS)) expect(type).toBe(name);
  });

  it('accept and explain every preset, in both languages, with figures', () => {
    const presets = presetRules(SENSOR_KINDS);
    expect(new Set(presets.map(({ id }) => id)).size).toBe(presets.length);
    for (const { id, definition } of presets) {
      const kind = ruleKind(definition.type)!;
      const parsed = kind.params.safeParse(definition);
      expect(parsed.error, id).toBeUndefined();
      const state = new Float64Array(kind.stateSize(definition)).fill(NaN);
      const { zh, en } = kind.explain(definition, kind.evidence(state, 0, definition, 0));
      expect(zh, id).toMatch(/\p{Script=Han}/u);
      expect(en, id).toMatch(/^[^\p{Script=Han}]+$/u);
    }
  });
});
