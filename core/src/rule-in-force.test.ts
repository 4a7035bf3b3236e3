import { describe, expect, it } from 'vitest';
import type { Rule, Scope } from './model/rule.ts';
import { Registry } from './registry.ts';
import { ruleInForce, scopeHas } from './rule-in-force.ts';

const registry = new Registry();
const area = (id: string, parent: string | null, path: string) =>
  registry.putArea({ id, parent, level: 'town', name: id, code: null, path });
area('c', null, '/c/');
area('t', 'c', '/c/t/');
area('tt', 'c', '/c/tt/');
registry.putSite({ id: 's', area: 't', name: 's', address: '', contacts: [], path: '/c/t/s/' });
registry.putZone({ id: 'z', site: 's', name: 'z' });
const device = registry.putDevice({
  ...{ id: 'd', kind: 'heat', site: 's', zone: 'z', name: 'd', gateway: null, location: '', disabled: false },
  ...{ createdAt: 0, secretHash: '' },
});

const source = { zh: '', en: '' };
const rule = (scope: Scope, overrides: [Scope, Record<string, unknown>][]): Rule => ({
  ...{ id: 'r', version: 1, scope, mode: 'on', schedule: null, preset: false },
  definition: { id: 'r', type: 'threshold', class: 'fault', zh: '', en: '', source, limit: 1, forMs: 1, hysteresis: 1 },
  overrides: overrides.map(([where, changes], index) => ({ id: String(index), scope: where, changes })),
});

describe('a scope', () => {
  it('has a device when all that is given matches', () => {
    const has = (scope: Scope) => scopeHas(scope, device, registry);
    for (const scope of [{}, { area: 'c' }, { area: 't', kinds: ['x', 'heat'] }, { site: 's', zone: 'z', device: 'd' }])
      expect([scope, has(scope)]).toEqual([scope, true]);
    for (const scope of [{ area: 'tt' }, { kinds: ['x'] }, { site: 's', zone: 'y' }, { area: 'gone' }, { device: 'e' }])
      expect([scope, has(scope)]).toEqual([scope, false]);
  });
});

describe('overrides', () => {
  it('are resolved parameter by parameter, the most specific first, whatever their order', () => {
    const overrides: [Scope, Record<string, unknown>][] = [
      [{ device: 'd' }, { limit: 5 }],
      [{ area: 'c' }, { limit: 2, forMs: 2, hysteresis: 2, mode: 'off' }],
      [{ site: 's' }, { limit: 4, forMs: 4 }],
      [{ area: 't' }, { limit: 3, forMs: 3, mode: 'shadow' }],
      [{ site: 'other' }, { limit: 9 }],
    ];
    for (const order of [overrides, overrides.toReversed()]) {
      const found = ruleInForce(rule({ kinds: ['heat'] }, order), device, registry)!;
      expect(found).toMatchObject({ mode: 'shadow', definition: { limit: 5, forMs: 4, hysteresis: 2 } });
      expect(found.from).toEqual({ limit: 'device', forMs: 'site', hysteresis: 'area', mode: 'area' });
    }
  });

  it('leave a rule without any as it is, the same object', () => {
    const plain = rule({}, []);
    expect(ruleInForce(plain, device, registry)?.definition).toBe(plain.definition);
    expect(ruleInForce(rule({ kinds: ['x'] }, []), device, registry)).toBeNull();
  });
});
