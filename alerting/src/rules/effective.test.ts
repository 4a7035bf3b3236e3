import { type Override, type Rule, ruleInForce } from '@smart-fire/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { county } from '../testing/rule-house.ts';
import { EffectiveRule, type InForce } from './effective.ts';

const registry = county();
const devices = [...registry.devices.values()];
const rule: Rule = {
  ...{ id: 'r', version: 1, mode: 'on', schedule: null, preset: false, scope: {}, overrides: [] },
  definition: {
    ...{ id: 'r', type: 'threshold', class: 'supervisory', zh: '', en: '', source: { zh: '', en: '' } },
    ...{ metric: 'pressure', direction: 'below', limit: 1, hysteresis: 1, forMs: 0 },
  },
};
const places = [{ area: 'c' }, { area: 't1' }, { area: 't2' }, { site: 's1' }, { zone: 'z1' }, { device: 'p1' }];
const changes = fc.record(
  {
    limit: fc.nat(9),
    hysteresis: fc.nat(9),
    mode: fc.constantFrom('on' as const, 'shadow' as const, 'off' as const),
  },
  { requiredKeys: [] },
);
const overrides: fc.Arbitrary<Override[]> = fc
  .uniqueArray(fc.nat(places.length - 1))
  .chain((which) =>
    fc.tuple(...which.map((at) => changes.map((one) => ({ id: `o${at}`, scope: places[at]!, changes: one })))),
  );

describe('an effective rule', () => {
  it('is what is shown for the device, and one object for devices with the same overrides', () => {
    fc.assert(
      fc.property(overrides, (some) => {
        const made: InForce[] = [];
        const given = { ...rule, overrides: some };
        const effective = new EffectiveRule(given, 'series', (inForce) => {
          made.push(inForce);
          return inForce;
        });
        for (const device of devices) {
          const { definition, mode, schedule } = ruleInForce(given, device, registry)!;
          expect(effective.of(device, registry)).toEqual({ definition, mode, schedule });
          expect(effective.of({ ...device, id: 'other', zone: 'other', site: 'other' }, registry)).toEqual({
            ...{ definition: rule.definition, mode: 'on', schedule: null },
          });
        }
        expect(new Set(made).size).toBe(made.length);
        expect(made.length).toBeLessThanOrEqual(devices.length + 1);
      }),
      { numRuns: 200 },
    );
  });

  it('is nothing for a device outside the scope, and of a zone the same for all its devices', () => {
    const [device] = devices;
    const narrow = { ...rule, scope: { area: 't2' }, overrides: [] };
    expect(new EffectiveRule(narrow, 'series', () => 1).of(device!, registry)).toBeNull();
    const named = { ...rule, overrides: [{ id: 'o', scope: { device: 'p1' }, changes: { limit: 7 } }] };
    const limit = (subject: 'series' | 'zone') =>
      new EffectiveRule(named, subject, ({ definition }) => definition.limit).of(device!, registry);
    expect([limit('series'), limit('zone')]).toEqual([7, 1]);
  });
});
