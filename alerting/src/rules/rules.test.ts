import type { Maintenance, Rule } from '@smart-fire/core';
import { PRESETS } from '@smart-fire/core/sensors';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeRules } from '../testing/fake-rules.ts';
import { ownRule, TWO_HOT } from '../testing/own-rule.ts';
import { Scene } from '../testing/scene.ts';
import type { Effect, RaiseEffect } from './effect.ts';
import { Engine } from './engine.ts';
import { threshold } from './kinds/threshold.ts';

const LOW = 'preset:pump:low';
const HOUR = 3_600_000;
/** Midnight in Shanghai. */
const MIDNIGHT = Date.UTC(2026, 10, 22, 16);

afterEach(() => vi.restoreAllMocks());

function watch(scene: Scene, rules: FakeRules, devicesAtATime = 1000) {
  const effects: Effect[] = [];
  const engine = new Engine({
    ...{ registry: scene.registry, ...rules.current(), withheld: rules, series: [], timeZone: 'Asia/Shanghai' },
    devicesAtATime,
    emit: (effect) => effects.push(effect),
  });
  const words = () => effects.splice(0).map(({ type, cause, shadow }) => `${shadow ? 'shadow ' : ''}${type} ${cause}`);
  rules.onChange(() => engine.setRules(rules.current().rules, rules.current().maintenance, scene.now));
  return {
    engine,
    effects,
    words,
    next(): string[] {
      engine.consume(scene.batch());
      return words();
    },
  };
}

const work = (more: Partial<Maintenance>): Maintenance => ({
  ...{ id: 'm', scope: {}, from: 0, to: Infinity, reason: 'work', by: 'p1' },
  ...more,
});
const pump = () => new Scene().device('p', 'pump').reading('p', 'pressure', 200);
const atOnce = (change: Partial<Rule> = {}) => {
  const rules = new FakeRules();
  const low = rules.rules.find(({ id }) => id === LOW)!;
  return rules.change(LOW, { definition: { ...low.definition, forMs: 0 }, ...change });
};

describe('overrides', () => {
  it('give each device its own parameters, the narrowest place first', () => {
    const scene = new Scene().device('a', 'pump').device('b', 'pump').device('c', 'pump', { site: 's2' });
    const rules = atOnce({
      overrides: [
        { id: 'o1', scope: { area: 'a' }, changes: { limit: 150 } },
        { id: 'o2', scope: { site: 's1' }, changes: { limit: 50 } },
        { id: 'o3', scope: { device: 'b' }, changes: { mode: 'off' } },
      ],
    });
    const { next, effects, engine } = watch(scene, rules);
    for (const id of ['a', 'b', 'c']) scene.reading(id, 'pressure', 120);
    expect(next()).toEqual([`raise ${LOW}:c:`]);
    for (const id of ['a', 'b', 'c']) scene.seconds(1).reading(id, 'pressure', 40);
    engine.consume(scene.batch());
    expect(effects.map(({ cause }) => cause)).toEqual([`${LOW}:a:`]);
    expect((effects[0] as RaiseEffect).explanation.en).toContain('limit of 50 kPa');
  });
});

describe('a change of rules at run time', () => {
  it('keeps what other rules and other parameters have seen', () => {
    const scene = pump().device('h', 'heat').reading('h', 'temperature', 99);
    const rules = new FakeRules();
    const { next, words } = watch(scene, rules);
    scene.reading('p', 'pressure', 90).seconds(3);
    expect(next()).toEqual(['raise preset:heat:hot:h:']);
    rules.change('preset:heat:hot', { definition: { ...rules.rules[2]!.definition, limit: 80 } });
    rules.change(LOW, { definition: { ...rules.rules[0]!.definition, forMs: 4000 } });
    expect(words()).toEqual([]);
    scene.seconds(1);
    expect(next()).toEqual([]);
    scene.seconds(1);
    // Armed under the old duration; the next reading is judged by the new one.
    expect(next()).toEqual([`raise ${LOW}:p:`]);
    scene.reading('h', 'temperature', 60);
    expect(next()).toEqual(['clear preset:heat:hot:h:']);
  });

  it('ends the alarms of a rule that is switched off, taken away or no longer for the device, and of those alone', () => {
    for (const change of [{ mode: 'off' as const }, { scope: { kinds: ['heat'] } }, null]) {
      const scene = pump().device('h', 'heat').reading('h', 'temperature', 99).reading('p', 'pressure', 90);
      const rules = atOnce();
      const { next, words } = watch(scene, rules);
      expect(next()).toHaveLength(2);
      if (change) rules.change(LOW, change);
      else {
        rules.rules = rules.rules.filter(({ id }) => id !== LOW);
        rules.change('', {});
      }
      expect(words()).toEqual([`clear ${LOW}:p:`]);
      scene.seconds(1).reading('p', 'pressure', 80).reading('h', 'temperature', 20);
      expect(next()).toEqual(['clear preset:heat:hot:h:']);
    }
  });

  it('begins anew where the state is made of something else', () => {
    const rules = new FakeRules().add(
      ownRule('mine', {
        type: 'threshold',
        metric: 'pressure',
        direction: 'above',
        limit: 300,
        hysteresis: 10,
        forMs: 0,
      }),
    );
    const scene = pump();
    const { next, words } = watch(scene, rules);
    scene.seconds(1).reading('p', 'pressure', 400);
    expect(next()).toEqual(['raise mine:p:']);
    rules.change('mine', {
      definition: { ...rules.rules.at(-1)!.definition, metric: 'flow' },
    });
    expect(words()).toEqual(['clear mine:p:']);
    scene.seconds(1).reading('p', 'flow', 400).reading('p', 'pressure', 500);
    expect(next()).toEqual(['raise mine:p:']);
  });

  it('takes a rule out of shadow while its condition holds: the alarm is raised then', () => {
    const scene = pump();
    const rules = atOnce({ mode: 'shadow' });
    const { next, words } = watch(scene, rules);
    scene.seconds(1).reading('p', 'pressure', 50);
    expect(next()).toEqual([`shadow raise ${LOW}:p:`]);
    rules.change(LOW, { mode: 'on' });
    expect(words()).toEqual([`shadow clear ${LOW}:p:`, `raise ${LOW}:p:`]);
    rules.change(LOW, { mode: 'shadow' });
    expect(words()).toEqual([`clear ${LOW}:p:`, `shadow raise ${LOW}:p:`]);
    scene.seconds(1).reading('p', 'pressure', 150);
    expect(next()).toEqual([`shadow clear ${LOW}:p:`]);
  });

  it('reaches the devices bit by bit, but each before it is judged again', () => {
    const scene = new Scene();
    for (const id of ['a', 'b', 'c']) scene.device(id, 'pump').reading(id, 'pressure', 90);
    const rules = atOnce();
    const { next, words, engine } = watch(scene, rules, 1);
    expect(next()).toHaveLength(3);
    rules.change(LOW, { mode: 'off' });
    expect(words()).toEqual([`clear ${LOW}:a:`]);
    scene.seconds(1).reading('c', 'pressure', 80);
    expect(next()).toEqual([`clear ${LOW}:c:`]);
    expect([engine.settle(scene.now), words()]).toEqual([false, [`clear ${LOW}:b:`]]);
    expect([engine.settle(scene.now), words()]).toEqual([true, []]);
  });

  it('holds for what only time would have raised, in devices that it has not reached yet', () => {
    const scene = pump().device('q', 'pump').reading('q', 'pressure', 90);
    const rules = new FakeRules();
    const { next } = watch(scene, rules, 1);
    expect(next()).toEqual([]);
    rules.change(LOW, { mode: 'off' });
    scene.seconds(10);
    expect(next()).toEqual([]);
  });

  it('meets another one before it has reached all devices', () => {
    const scene = new Scene();
    for (const id of ['a', 'b', 'c']) scene.device(id, 'pump').reading(id, 'pressure', 90);
    const rules = atOnce();
    const { next, words, engine } = watch(scene, rules, 1);
    expect(next()).toHaveLength(3);
    rules.change(LOW, { mode: 'off' });
    expect(words()).toEqual([`clear ${LOW}:a:`]);
    rules.change(LOW, { mode: 'on' });
    while (!engine.settle(scene.now));
    // Those that it had not reached have never been without the rule.
    expect(words()).toEqual([]);
    for (const id of ['a', 'b', 'c']) scene.seconds(1).reading(id, 'pressure', 200);
    expect(next()).toEqual([`clear ${LOW}:b:`, `clear ${LOW}:c:`]);
  });

  it('follows places that change', () => {
    const scene = pump();
    const rules = atOnce({ scope: { kinds: ['pump'], area: 'b' } });
    const { next, engine, words } = watch(scene, rules);
    scene.seconds(1).reading('p', 'pressure', 50);
    expect(next()).toEqual([]);
    scene.registry.putArea({ id: 'b', parent: null, level: 'city', name: 'B', code: null, path: '/b/' });
    scene.registry.putSite({ ...scene.registry.sites.get('s1')!, area: 'b', path: '/b/s1/' });
    engine.refreshPlaces(scene.now);
    scene.seconds(1).reading('p', 'pressure', 50);
    expect(next()).toEqual([`raise ${LOW}:p:`]);
    scene.registry.putSite({ ...scene.registry.sites.get('s1')!, area: 'a', path: '/a/s1/' });
    engine.refreshPlaces(scene.now);
    expect(words()).toEqual([`clear ${LOW}:p:`]);
  });
});

describe('maintenance', () => {
  it('withholds what begins in it, and raises at its end what is still there', () => {
    const scene = pump();
    const rules = atOnce();
    rules.maintenance = [work({ scope: { site: 's1' }, to: scene.now + 10_000 })];
    const { next, effects, engine } = watch(scene, rules);
    scene.seconds(1).reading('p', 'pressure', 50).seconds(8);
    expect(next()).toEqual([]);
    expect(rules.heard()).toEqual([`withheld maintenance ${LOW}:p:`]);
    expect(rules.raises[0]).toMatchObject({ maintenance: 'm', rule: LOW, device: 'p', class: 'supervisory' });
    engine.consume(scene.seconds(1).batch());
    expect(effects.map(({ type, time }) => [type, time])).toEqual([['raise', scene.now]]);
    expect(rules.heard()).toEqual([`over ${LOW}:p:`]);
  });

  it('says nothing more of what was over before its end, and leaves other sites alone', () => {
    const scene = pump().device('other', 'pump', { site: 's2' });
    const rules = atOnce();
    rules.maintenance = [work({ scope: { site: 's1' }, to: scene.now + 10_000 })];
    const { next } = watch(scene, rules);
    scene.seconds(1).reading('p', 'pressure', 50).reading('other', 'pressure', 50);
    expect(next()).toEqual([`raise ${LOW}:other:`]);
    scene.seconds(1).reading('p', 'pressure', 150).seconds(20);
    expect(next()).toEqual([]);
    expect(rules.heard()).toEqual([`withheld maintenance ${LOW}:p:`, `over ${LOW}:p:`]);
  });

  it('never hides a fire, and ends no alarm that was there before', () => {
    const scene = pump().device('h', 'heat').reading('p', 'pressure', 50);
    const rules = atOnce();
    rules.maintenance = [work({ from: scene.now + 5000 })];
    const { next } = watch(scene, rules);
    expect(next()).toEqual([`raise ${LOW}:p:`]);
    scene.seconds(6).reading('h', 'temperature', 99).event('h', 'fire');
    expect(next()).toEqual(['raise preset:heat:hot:h:', 'raise fire:h:']);
    scene.seconds(1).reading('p', 'pressure', 150);
    expect(next()).toEqual([`clear ${LOW}:p:`]);
  });

  it('that is ended early lets out at once what it withheld', () => {
    const scene = pump();
    const rules = atOnce();
    rules.maintenance = [work({ scope: { device: 'p' } })];
    const { next, words } = watch(scene, rules);
    scene.seconds(1).reading('p', 'pressure', 50);
    expect(next()).toEqual([]);
    rules.maintenance = [];
    rules.change('', {});
    expect(words()).toEqual([`raise ${LOW}:p:`]);
  });
});

describe('a schedule', () => {
  it('lets a rule raise in its windows only; what is there when one opens is raised then', () => {
    const scene = pump();
    scene.now = MIDNIGHT + 6 * HOUR - 30_000;
    const rules = atOnce({ schedule: { windows: [{ days: [1], from: '06:00', to: '22:00' }] } });
    const { next, effects, engine } = watch(scene, rules);
    scene.seconds(1).reading('p', 'pressure', 50).seconds(28);
    expect(next()).toEqual([]);
    expect(rules.heard()).toEqual([`withheld schedule ${LOW}:p:`]);
    engine.consume(scene.seconds(1).batch());
    expect(effects.map(({ type, receivedAt }) => [type, receivedAt])).toEqual([['raise', MIDNIGHT + 6 * HOUR]]);
  });
});

describe('a rule on zones', () => {
  const room = () => {
    const scene = new Scene();
    scene.registry.putZone({ id: 'z', site: 's1', name: 'Z' });
    for (const id of ['a', 'b']) scene.device(id, 'heat', { zone: 'z' });
    return scene.device('alone', 'heat').device('far', 'heat', { site: 's2' });
  };

  it('sees the detectors of one zone together, names who completed it, and no one of another zone', () => {
    const scene = room();
    const { next, effects, engine } = watch(scene, new FakeRules().add(TWO_HOT));
    scene.reading('a', 'temperature', 60).reading('alone', 'temperature', 60).reading('far', 'temperature', 60);
    scene.seconds(5);
    expect(next()).toEqual([]);
    engine.consume(scene.reading('b', 'temperature', 60).seconds(1).batch());
    expect(effects).toMatchObject([{ type: 'raise', cause: 'two-hot:z:', device: 'b', zone: 'z', site: 's1' }]);
    effects.length = 0;
    scene.reading('b', 'temperature', 20).seconds(29);
    expect(next()).toEqual([]);
    scene.seconds(2);
    expect(next()).toEqual(['clear two-hot:z:']);
  });

  it('counts two points of a device without a zone, which is a zone of its own', () => {
    const scene = room();
    const { next } = watch(scene, new FakeRules().add(TWO_HOT));
    scene.reading('alone', 'temperature', 60, { point: '1' }).reading('alone', 'temperature', 60, { point: '2' });
    scene.seconds(1);
    expect(next()).toEqual(['raise two-hot::alone']);
  });

  it('that is switched off lets out nothing that maintenance withheld, though some of its detectors have not heard of it', () => {
    const scene = room().device('c', 'heat', { zone: 'z' });
    const rules = new FakeRules().add(TWO_HOT);
    rules.maintenance = [work({ to: scene.now + 5000 })];
    const { next, engine } = watch(scene, rules, 1);
    scene.reading('a', 'temperature', 60).reading('b', 'temperature', 60).seconds(1);
    expect(next()).toEqual([]);
    expect(rules.heard()).toEqual(['withheld maintenance two-hot:z:']);
    rules.change('two-hot', { mode: 'off' });
    scene.seconds(10);
    expect(next()).toEqual([]);
    while (!engine.settle(scene.now));
    expect([next(), rules.heard()]).toEqual([[], ['over two-hot:z:']]);
  });

  it('ends with its last detector', () => {
    const scene = room();
    const { next, engine, words } = watch(scene, new FakeRules().add(TWO_HOT));
    scene.reading('a', 'temperature', 60).reading('b', 'temperature', 60).seconds(1);
    expect(next()).toEqual(['raise two-hot:z:']);
    scene.device('a', 'heat');
    engine.refresh('a', scene.now);
    expect(words()).toEqual([]);
    scene.registry.remove({ entity: 'device', id: 'b' });
    engine.refresh('b', scene.now);
    expect(words()).toEqual(['clear two-hot:z:']);
  });

  it('raises the alarm again when its level rises', () => {
    const scene = room();
    const fusion = PRESETS.find(({ id }) => id === 'preset:fire-fusion')!;
    const rules = new FakeRules().add({ ...fusion, scope: {} });
    const { next, effects, engine } = watch(scene, rules);
    for (let minute = 0; minute < 30; minute++)
      scene.seconds(60, (s) => s % 10 === 0 && scene.reading('a', 'temperature', 20));
    expect(next()).toEqual([]);
    const since = scene.now;
    scene.seconds(300, (s) => s % 5 === 0 && scene.reading('a', 'temperature', Math.min(68, 20 + (s / 20) ** 2)));
    engine.consume(scene.batch());
    const levels = effects.map((effect) => (effect as RaiseEffect).level);
    expect([...new Set(levels)]).toEqual(['early', 'fire']);
    expect(effects[0]!.time).toBeGreaterThan(since);
    expect(new Set(effects.map(({ cause }) => cause))).toEqual(new Set(['preset:fire-fusion:z:']));
  });

  it('withholds an early warning in maintenance, and lets it out as soon as it is a fire', () => {
    const scene = room();
    const fusion = PRESETS.find(({ id }) => id === 'preset:fire-fusion')!;
    const rules = new FakeRules().add({ ...fusion, scope: {} });
    rules.maintenance = [work({ scope: { zone: 'z' } })];
    const { engine, effects } = watch(scene, rules);
    for (let minute = 0; minute < 30; minute++)
      scene.seconds(60, (s) => s % 10 === 0 && scene.reading('a', 'temperature', 20));
    scene.seconds(300, (s) => s % 5 === 0 && scene.reading('a', 'temperature', Math.min(68, 20 + (s / 20) ** 2)));
    engine.consume(scene.batch());
    expect(effects[0]).toMatchObject({ type: 'raise', level: 'fire' });
    expect(rules.raises[0]).toMatchObject({ level: 'early', why: 'maintenance' });
    expect(rules.heard().at(-1)).toBe('over preset:fire-fusion:z:');
  });
});

describe('learning', () => {
  const seen: boolean[] = [];
  const learning = () => {
    // Any kind will do to see what it is told; one with `learn` among its parameters is told.
    const rules = atOnce().add(
      ownRule('mine', { type: 'baseline', metric: 'flow', rareDays: 300, warmUp: 10, learn: true }),
    );
    return rules;
  };
  const told = (scene: Scene, { next }: { next(): string[] }) => {
    scene.seconds(1).reading('p', 'flow', 1 + (scene.now % 7));
    next();
    return seen.splice(0).at(-1);
  };
  const spy = async () => {
    const { baseline } = await import('./kinds/baseline.ts');
    const real = baseline.step;
    vi.spyOn(baseline, 'step').mockImplementation((state, offset, rule, stimulus) => {
      seen.push(stimulus.learn);
      return real(state, offset, rule, stimulus);
    });
  };

  it('stops while the device is in alarm, in test, in maintenance, or has declared something that it has not restored', async () => {
    await spy();
    const scene = pump();
    const rules = learning();
    const running = watch(scene, rules);
    expect(told(scene, running)).toBe(true);
    scene.reading('p', 'pressure', 50);
    expect(told(scene, running)).toBe(false);
    scene.reading('p', 'pressure', 200);
    expect(told(scene, running)).toBe(true);
    scene.event('p', 'fault');
    expect(told(scene, running)).toBe(false);
    scene.event('p', 'fault-restored').event('p', 'low-battery');
    expect(told(scene, running)).toBe(true);
    rules.maintenance = [work({ scope: { device: 'p' }, to: scene.now + 5000 })];
    rules.change('', {});
    expect(told(scene, running)).toBe(false);
    scene.seconds(5);
    expect(told(scene, running)).toBe(true);
    scene.event('p', 'test');
    expect(told(scene, running)).toBe(false);
    scene.seconds(1800);
    expect(told(scene, running)).toBe(true);
    rules.change(LOW, { mode: 'shadow' });
    scene.reading('p', 'pressure', 50);
    expect(told(scene, running)).toBe(true);
  });

  it('is shown as a band for each series, and begins anew when it is reset', () => {
    const scene = pump();
    const { engine, next } = watch(scene, learning());
    const teach = () => scene.seconds(200, (s) => scene.reading('p', 'flow', 5 + Math.sin(s)));
    expect(engine.learned('mine', 'p')).toBeNull();
    teach();
    next();
    const [band] = engine.learned('mine', 'p')!;
    expect(band).toMatchObject({ metric: 'flow', point: '' });
    expect(band!.centre).toBeGreaterThan(3);
    expect(engine.score('mine', 'p')).toBeGreaterThanOrEqual(0);
    engine.reset('mine', 'p', scene.now);
    expect(engine.learned('mine', 'p')).toBeNull();
    expect(engine.learned('mine', 'nobody')).toBeNull();
    expect(engine.score('mine', 'p')).toBeNull();
    teach();
    next();
    expect(engine.learned('mine', 'p')).not.toBeNull();
  });
});

describe('a rule that throws', () => {
  it('while it explains itself raises all the same, with a plain sentence', () => {
    vi.spyOn(threshold, 'explain').mockImplementation(() => {
      throw new Error('speechless');
    });
    const scene = pump();
    const { engine, effects } = watch(scene, atOnce());
    engine.consume(scene.seconds(1).reading('p', 'pressure', 50).batch());
    expect(effects).toMatchObject([{ type: 'raise', explanation: { zh: '水压低:条件成立' } }]);
    expect(engine.rules().find(({ id }) => id === LOW)).toMatchObject({ errors: 1, lastError: 'speechless' });
  });

  it('keeps the alarm that stands on it, and is whole again when it works again', () => {
    const scene = pump();
    const { next } = watch(scene, atOnce());
    scene.seconds(1).reading('p', 'pressure', 50);
    expect(next()).toEqual([`raise ${LOW}:p:`]);
    const broken = vi.spyOn(threshold, 'step').mockImplementation((state, offset) => {
      state[offset + 1] = 7;
      throw new Error('broken');
    });
    scene.seconds(1).reading('p', 'pressure', 150).seconds(130);
    expect(next()).toEqual(['raise preset:pump:absence:p:']);
    broken.mockRestore();
    scene.seconds(1).reading('p', 'pressure', 160);
    expect(next()).toEqual(['clear preset:pump:absence:p:', `clear ${LOW}:p:`]);
  });

  it('on one definition takes no other with it', () => {
    const scene = pump();
    const bad = ownRule('bad', { type: 'threshold', metric: 'pressure' });
    const { engine, next } = watch(scene, atOnce().add(bad));
    scene.seconds(1).reading('p', 'pressure', 50);
    expect(next()).toEqual([`raise ${LOW}:p:`]);
    expect(engine.rules().find(({ id }) => id === 'bad')!.errors).toBeGreaterThan(0);
  });
});

describe('state', () => {
  it('takes room only while there is something to remember', () => {
    const scene = new Scene();
    for (let i = 0; i < 200; i++) scene.device(`d${i}`, 'heat');
    const { engine, next } = watch(scene, new FakeRules());
    const round = (value: number) => {
      scene.seconds(1);
      for (let i = 0; i < 200; i++) scene.reading(`d${i}`, 'temperature', value);
      return next();
    };
    round(20);
    const bytes = engine.stateBytes;
    for (let i = 0; i < 5; i++) {
      expect(round(90)).toHaveLength(200);
      expect(round(20)).toHaveLength(200);
    }
    const grown = engine.stateBytes;
    expect(grown).toBeLessThan(bytes * 3);
    for (let i = 0; i < 20; i++) round(i % 2 === 0 ? 90 : 20);
    expect(engine.stateBytes).toBe(grown);
  });
});
