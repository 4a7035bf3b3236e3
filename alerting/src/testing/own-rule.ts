import type { Rule } from '@smart-fire/core';

const source = { zh: '测试', en: 'test' };

/** A rule of one's own, called by its id. */
export function ownRule(
  id: string,
  definition: { type: string; [parameter: string]: unknown },
  more: Partial<Rule> = {},
): Rule {
  return {
    ...{ id, version: 1, scope: {}, mode: 'on', schedule: null, preset: false, overrides: [] },
    definition: { id, class: 'early-warning', zh: '测试规则', en: 'Test rule', source, ...definition },
    ...more,
  };
}

/** 2 of the zone's thermometers above 50 °C within half a minute. */
export const TWO_HOT = ownRule('two-hot', {
  ...{ type: 'vote', of: 'devices', k: 2, windowMs: 30_000 },
  conditions: [{ metric: 'temperature', direction: 'above', limit: 50, hysteresis: 5 }],
});
