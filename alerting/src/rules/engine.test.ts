import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { FakeRules } from '../testing/fake-rules.ts';
import { ownRule } from '../testing/own-rule.ts';
import { Scene } from '../testing/scene.ts';
import {
  CHECKPOINT_FORMAT,
  type CheckpointPart,
  decodeManifest,
  decodePart,
  encodeManifest,
  encodePart,
} from './checkpoint.ts';
import type { Effect } from './effect.ts';
import { Engine } from './engine.ts';
import { threshold } from './kinds/threshold.ts';

function watch(scene: Scene, rules = new FakeRules()) {
  const effects: Effect[] = [];
  const engine = new Engine({
    ...{ registry: scene.registry, ...rules.current(), withheld: rules, timeZone: 'Asia/Shanghai' },
    series: scene.series,
    emit: (effect) => effects.push(effect),
  });
  return {
    engine,
    effects,
    /** Words for what the scene's last entries caused. */
    next(): string[] {
      effects.length = 0;
      engine.consume(scene.batch());
      return effects.map(({ type, cause }) => `${type} ${cause}`);
    },
  };
}

afterEach(() => vi.restoreAllMocks());

describe('threshold rules', () => {
  it('raises after the duration in reading time and clears only beyond the hysteresis', () => {
    const scene = new Scene().device('p', 'pump');
    const { next, effects } = watch(scene);
    scene.reading('p', 'pressure', 90).seconds(4).reading('p', 'pressure', 80);
    expect(next()).toEqual([]);
    scene.seconds(1).reading('p', 'pressure', 70);
    expect(next()).toEqual(['raise preset:pump:low:p:']);
    expect(effects[0]).toMatchObject({ class: 'supervisory', site: 's1', rule: 'preset:pump:low', time: scene.now });
    scene.seconds(1).reading('p', 'pressure', 105);
    expect(next()).toEqual([]);
    scene.seconds(1).reading('p', 'pressure', 110);
    expect(next()).toEqual(['clear preset:pump:low:p:']);
  });

  it('raises at once for buffered readings whose own times span the duration', () => {
    const scene = new Scene().device('p', 'pump');
    const { next } = watch(scene);
    scene
      .reading('p', 'pressure', 90, { time: scene.now - 9000 })
      .reading('p', 'pressure', 90, { time: scene.now - 4000 });
    expect(next()).toEqual(['raise preset:pump:low:p:']);
  });

  it('raises by ticks alone for a sensor that reports by exception', () => {
    const scene = new Scene().device('p', 'pump');
    const { next, effects } = watch(scene);
    scene.reading('p', 'pressure', 90).seconds(4);
    expect(next()).toEqual([]);
    scene.seconds(1);
    expect(next()).toEqual(['raise preset:pump:low:p:']);
    expect((effects[0] as Effect & { type: 'raise' }).explanation).toEqual({
      zh: '水压 90 kPa,低于限值 100 kPa,已持续 5 秒以上',
      en: 'Water pressure 90 kPa, below the limit of 100 kPa for 5 s or more',
    });
  });

  it('starts the duration anew when the value comes back in between', () => {
    const scene = new Scene().device('p', 'pump');
    const { next } = watch(scene);
    scene.reading('p', 'pressure', 90).seconds(3).reading('p', 'pressure', 101).seconds(1).reading('p', 'pressure', 90);
    scene.seconds(4);
    expect(next()).toEqual([]);
    scene.seconds(1);
    expect(next()).toEqual(['raise preset:pump:low:p:']);
  });

  it('raises by ticks alone also while telemetry is refused: a value that was told stands until another is', () => {
    const scene = new Scene().device('p', 'pump');
    const { next } = watch(scene);
    scene.reading('p', 'pressure', 90).deafSeconds(10);
    expect(next()).toEqual(['raise preset:pump:low:p:']);
  });

  it('ignores late readings, and keeps points apart', () => {
    const scene = new Scene().device('h', 'heat');
    const { next } = watch(scene);
    scene.reading('h', 'temperature', 20, { point: '1' }).reading('h', 'temperature', 90, { point: '1', late: true });
    expect(next()).toEqual([]);
    scene.reading('h', 'temperature', 90, { point: '2' }).reading('h', 'temperature', 20, { point: '2', late: true });
    expect(next()).toEqual(['raise preset:heat:hot:h:2']);
  });
});

describe('events', () => {
  it('act on arrival under the word of the device, and are cleared by their own restoration', () => {
    const scene = new Scene().device('h', 'heat', { disabled: true });
    const { next } = watch(scene);
    for (const event of ['fire', 'low-battery', 'test', 'meow', 'fault-restored', 'restored', 'battery-restored'])
      scene.event('h', event, '3');
    expect(next()).toEqual([
      'raise fire:h:3',
      'raise low-battery:h:3',
      'clear fault:h:3',
      'clear fire:h:3',
      'clear low-battery:h:3',
    ]);
  });

  it('of a device that is no more raise nothing and are counted', () => {
    const scene = new Scene();
    const { next, engine } = watch(scene);
    scene.event('ghost', 'fire');
    expect(next()).toEqual([]);
    expect(engine.ignored).toBe(1);
  });
});

describe('absence', () => {
  it('raises after the listened time and clears when the device is heard; never-heard devices raise nothing', () => {
    const scene = new Scene().device('p', 'pump').device('never', 'pump');
    const { next } = watch(scene);
    scene.reading('p', 'pressure', 200).seconds(59);
    expect(next()).toEqual([]);
    scene.seconds(1);
    expect(next()).toEqual(['raise preset:pump:absence:p:']);
    scene.seconds(200);
    expect(next()).toEqual([]);
    scene.event('p', 'test');
    expect(next()).toEqual(['clear preset:pump:absence:p:']);
    scene.seconds(60);
    expect(next()).toEqual(['raise preset:pump:absence:p:']);
    scene.reading('p', 'pressure', 200, { late: true });
    expect(next()).toEqual([]);
  });

  it('does not count time in which we did not listen, nor jumps of our clock', () => {
    const scene = new Scene().device('p', 'pump');
    const { next, engine } = watch(scene);
    scene.reading('p', 'pressure', 200).seconds(10);
    scene.now += 86_400_000;
    scene.seconds(10);
    scene.now -= 2 * 86_400_000;
    scene.seconds(10);
    expect(next()).toEqual([]);
    expect(engine.clock.now).toBe(10_000 + 2000 + 9000 + 9000);
    scene.seconds(29);
    expect(next()).toEqual([]);
    scene.seconds(1);
    expect(next()).toEqual(['raise preset:pump:absence:p:']);
  });

  it('does not count time in which telemetry was refused, whatever events came in it', () => {
    const scene = new Scene().device('p', 'pump').device('h', 'heat');
    const { next } = watch(scene);
    scene.reading('p', 'pressure', 200).seconds(10).deafSeconds(300).event('h', 'fire').deafSeconds(300).seconds(1);
    expect(next()).toEqual(['raise fire:h:']);
    // The second up to the first deaf tick was listened to, that up to the last one was not.
    scene.seconds(48);
    expect(next()).toEqual([]);
    scene.seconds(1);
    expect(next()).toEqual(['raise preset:pump:absence:p:']);
  });
});

describe('a gateway', () => {
  const family = () => {
    const scene = new Scene().device('g', 'gateway');
    for (const child of ['a', 'b', 'c']) scene.device(child, 'pump', { gateway: 'g' });
    for (const child of ['a', 'b', 'c']) scene.reading(child, 'pressure', 200);
    return scene;
  };

  it('that is lost is one alarm, with its children counted and none of them raised', () => {
    const scene = family();
    const { next, effects } = watch(scene);
    scene.seconds(600);
    expect(next()).toEqual(['raise preset:gateway:absence:g:']);
    expect(effects[0]).toMatchObject({ detail: { affected: 3 } });
    expect((effects[0] as Effect & { type: 'raise' }).explanation.en).toContain('3 devices');
  });

  it('that is alive lets the alarm of one silent child through', () => {
    const scene = family();
    const { next } = watch(scene);
    scene.seconds(59, () => scene.reading('a', 'pressure', 200).reading('b', 'pressure', 200));
    expect(next()).toEqual([]);
    scene.seconds(5, () => scene.reading('a', 'pressure', 200).reading('b', 'pressure', 200));
    expect(next()).toEqual(['raise preset:pump:absence:c:']);
  });

  it('that was heard before the child fell silent keeps the child waiting while its own silence is undecided', () => {
    const scene = family();
    const { next } = watch(scene);
    // c falls silent at once, the gateway 50 s later: at 60 s nobody knows yet.
    scene.seconds(50, () => scene.event('g', 'test'));
    scene.seconds(29);
    expect(next()).toEqual([]);
    scene.seconds(1);
    expect(next()).toEqual(['raise preset:gateway:absence:g:']);
    scene.seconds(600);
    expect(next()).toEqual([]);
  });

  it('that returns gives its children time to report; one that stays silent is raised then', () => {
    const scene = family();
    const { next } = watch(scene);
    scene.seconds(300);
    expect(next()).toEqual(['raise preset:gateway:absence:g:']);
    scene.seconds(1).reading('a', 'pressure', 200);
    expect(next()).toEqual(['clear preset:gateway:absence:g:']);
    const alive = () => scene.reading('a', 'pressure', 200);
    scene.seconds(30, alive).reading('b', 'pressure', 200);
    scene.seconds(29, alive);
    expect(next()).toEqual([]);
    scene.seconds(2, alive);
    expect(next()).toEqual(['raise preset:pump:absence:c:']);
  });

  it('that blinks for less than its own limit raises none of its children', () => {
    const scene = new Scene().device('g', 'gateway');
    const children = Array.from({ length: 15 }, (_, i) => `c${i}`);
    for (const child of children) scene.device(child, 'pump', { gateway: 'g' });
    const { next } = watch(scene);
    // Each child reports every 30 s, half its limit, one after the other.
    const sending = (from: number) => (second: number) => {
      for (const [i, child] of children.entries())
        if ((from + second) % 30 === 2 * i) scene.reading(child, 'pressure', 200);
    };
    scene.seconds(120, sending(0));
    scene.seconds(20);
    scene.seconds(120, sending(140));
    expect(next()).toEqual([]);
  });

  it('that is removed no longer holds back its children', () => {
    const scene = family();
    const { next, engine, effects } = watch(scene);
    scene.seconds(100);
    expect(next()).toEqual(['raise preset:gateway:absence:g:']);
    for (const child of ['a', 'b', 'c']) scene.device(child, 'pump');
    for (const child of ['a', 'b', 'c']) engine.refresh(child, scene.now);
    effects.length = 0;
    scene.registry.remove({ entity: 'device', id: 'g' });
    engine.refresh('g', scene.now);
    expect(effects.map(({ type, cause }) => `${type} ${cause}`)).toEqual(['clear preset:gateway:absence:g:']);
    scene.seconds(1);
    expect(next().sort()).toEqual(['a', 'b', 'c'].map((child) => `raise preset:pump:absence:${child}:`));
  });
});

describe('the engine', () => {
  it('isolates a rule that throws: the others go on, and it is counted', () => {
    const real = threshold.step;
    vi.spyOn(threshold, 'step').mockImplementation((state, offset, rule, stimulus) => {
      if (rule.id === 'low') throw new Error('broken');
      return real(state, offset, rule, stimulus);
    });
    const scene = new Scene().device('p', 'pump').device('h', 'heat');
    const { next, engine } = watch(scene);
    scene.reading('p', 'pressure', 1).reading('h', 'temperature', 99).seconds(60);
    expect(next()).toEqual([
      'raise preset:heat:hot:h:',
      'raise preset:pump:absence:p:',
      'raise preset:heat:absence:h:',
    ]);
    expect(engine.rules().find(({ id }) => id === 'preset:pump:low')).toMatchObject({
      ...{ errors: 1, lastError: 'broken' },
    });
  });

  it('follows devices that are disabled, enabled, changed and removed', () => {
    const scene = new Scene().device('h', 'heat').device('other', 'heat');
    const { next, engine, effects } = watch(scene);
    scene.reading('h', 'temperature', 99).reading('other', 'temperature', 99);
    expect(next()).toHaveLength(2);
    const change = (how: () => void) => {
      effects.length = 0;
      how();
      engine.refresh('h', scene.now);
      return effects.map(({ type, cause }) => `${type} ${cause}`);
    };
    expect(change(() => scene.device('h', 'heat', { site: 's2' }))).toEqual([]);
    expect(change(() => scene.device('h', 'heat', { disabled: true }))).toEqual(['clear preset:heat:hot:h:']);
    scene.seconds(100).reading('h', 'temperature', 99);
    expect(next()).toEqual(['raise preset:heat:absence:other:']);
    expect(change(() => scene.device('h', 'heat'))).toEqual([]);
    scene.reading('h', 'temperature', 98);
    expect(next()).toEqual(['raise preset:heat:hot:h:']);
    expect(change(() => scene.device('h', 'pump'))).toEqual(['clear preset:heat:hot:h:']);
    expect(change(() => scene.registry.remove({ entity: 'device', id: 'h' }))).toEqual([]);
    scene.reading('h', 'temperature', 98).seconds(100);
    expect(next()).toEqual([]);
  });

  it('skips what it has seen, so a batch may come again', () => {
    const scene = new Scene().device('h', 'heat');
    const { engine, effects } = watch(scene);
    scene.reading('h', 'temperature', 99).event('h', 'fire').seconds(3);
    const batch = scene.batch();
    engine.consume(batch);
    engine.consume(batch);
    expect(effects).toHaveLength(2);
  });

  it('gives every entry one turn, also when what one leads to is taken by nobody', () => {
    const scene = new Scene().device('h', 'heat').device('p', 'pump');
    const { engine, effects } = watch(scene);
    const batch = scene.event('h', 'fire').event('p', 'fault').event('h', 'tamper').batch();
    effects.push = vi.fn(effects.push).mockImplementationOnce(Array.prototype.push).mockThrowOnce(new Error('full'));
    expect(() => engine.consume(batch)).toThrow('full');
    engine.consume(batch);
    engine.consume(batch);
    expect(effects.map(({ cause }) => cause)).toEqual(['fire:h:', 'tamper:h:']);
    expect(engine.next).toBe(4);
  });

  it('gives each site the same alarms however the messages of others come in between', () => {
    const message = fc.record({
      site: fc.constantFrom('s1', 's2'),
      value: fc.constantFrom(80, 105, 120),
      event: fc.constantFrom('', '', 'fire', 'restored'),
      late: fc.boolean(),
    });
    const script = fc.array(
      fc.record({ seconds: fc.constantFrom(1, 6, 70), messages: fc.array(message, { maxLength: 6 }) }),
      {
        maxLength: 12,
      },
    );
    const run = (
      moments: { seconds: number; messages: { site: string; value: number; event: string; late: boolean }[] }[],
    ) => {
      const scene = new Scene();
      for (const site of ['s1', 's2'])
        scene.device(`g-${site}`, 'gateway', { site }).device(`p-${site}`, 'pump', { site, gateway: `g-${site}` });
      const { engine, effects } = watch(scene);
      for (const { seconds, messages } of moments) {
        for (const { site, value, event, late } of messages) {
          scene.reading(`p-${site}`, 'pressure', value, { late });
          if (event) scene.event(`p-${site}`, event);
        }
        engine.consume(scene.seconds(seconds).batch());
      }
      return ['s1', 's2'].map((site) =>
        effects.flatMap(({ type, cause, time }) => (cause.includes(site) ? [`${time} ${type} ${cause}`] : [])),
      );
    };
    fc.assert(
      fc.property(script, (moments) => {
        const apart = moments.map(({ seconds, messages }) => ({
          seconds,
          messages: ['s2', 's1'].flatMap((site) => messages.filter((one) => one.site === site)),
        }));
        expect(run(apart)).toEqual(run(moments));
      }),
      { numRuns: 100 },
    );
  });

  it('takes five million readings a second that no rule looks at, within what a shared machine allows', () => {
    const scene = new Scene();
    const { engine } = watch(scene);
    for (let i = 0; i < 1000; i++) scene.device(`d${i}`, 'pump').reading(`d${i}`, 'battery', i);
    for (let i = 0; i < 1000; i++) engine.refresh(`d${i}`, scene.now);
    engine.consume(scene.batch());
    for (let round = 0; round < 200; round++) for (let i = 0; i < 1000; i++) scene.readAgain(i, round);
    const batch = scene.batch();
    const start = performance.now();
    engine.consume(batch);
    const rate = batch.count / (performance.now() - start) / 1000;
    console.log(`${rate.toFixed(1)} million readings a second`);
    // The target is 5; other tests may hold the machine.
    expect(rate).toBeGreaterThan(1);
  });

  it('learns anew from a checkpoint in which a rule had more numbers, and keeps what others had seen', () => {
    const health = ownRule('health', {
      ...{ type: 'multivariate', metrics: ['flow'], limit: 3.9, warmUp: 40, accuracy: 0.3, learn: true },
    });
    /** The same state as if each of the rule's were so many numbers longer. */
    const widen = ({ rules, rows, ...part }: CheckpointPart, more: number): CheckpointPart => {
      const wider = rules.map((rule) => {
        if (rule.id !== health.id) return rule;
        return { ...rule, size: rule.size + more, make: rule.make!.replace(`${rule.size}`, `${rule.size + more}`) };
      });
      const numbers: number[] = [];
      for (let at = 0; at < rows.length; ) {
        const rule = rows[at]!;
        const end = at + 2 + rules[rule]!.size;
        numbers.push(
          ...rows.subarray(at, end),
          ...Array.from({ length: wider[rule]!.size - rules[rule]!.size }, () => 1),
        );
        at = end;
      }
      return { ...part, rules: wider, rows: Float64Array.from(numbers) };
    };
    const after = (more: number) => {
      const scene = new Scene().device('p', 'pump');
      const rules = new FakeRules().add(health);
      const before = watch(scene, rules);
      for (let row = 0; row < 100; row++) scene.seconds(1).reading('p', 'flow', 100 + (row % 2));
      scene.reading('p', 'pressure', 90).seconds(5);
      expect(before.next()).toEqual(['raise preset:pump:low:p:']);
      const { head, parts } = before.engine.snapshot();
      const { engine, next } = watch(scene, rules);
      engine.restore(
        head,
        [...parts()].flatMap((part) => (part ? [widen(part, more)] : [])),
      );
      for (let row = 0; row < 20; row++) scene.seconds(1).reading('p', 'flow', 150 + (row % 2));
      scene.reading('p', 'pressure', 150);
      return next();
    };
    expect(after(0)).toEqual(['raise health:p:', 'clear preset:pump:low:p:']);
    expect(after(9)).toEqual(['clear preset:pump:low:p:']);
  });

  it('refuses a checkpoint of another format, and a damaged one', () => {
    const scene = new Scene().device('h', 'heat');
    const { engine, next } = watch(scene);
    scene.reading('h', 'temperature', 99);
    next();
    const { head, parts } = engine.snapshot();
    const manifest = { ...head, generation: 1, parts: 1 };
    const bytes = encodeManifest(manifest);
    expect(decodeManifest(CHECKPOINT_FORMAT, bytes)).toEqual(manifest);
    const [part] = [...parts()].filter((one) => one !== null);
    const encoded = encodePart(part!);
    expect(decodePart(encoded)).toEqual(part);
    expect(() => decodePart(encoded.subarray(0, 20))).toThrow(expect.objectContaining({ code: 'FIRE_FORMAT_UNKNOWN' }));
    for (const [format, data] of [
      [CHECKPOINT_FORMAT + 1, bytes],
      [CHECKPOINT_FORMAT, bytes.subarray(0, 20)],
      [1, new Uint8Array(3)],
    ] as const)
      expect(() => decodeManifest(format, data)).toThrow(expect.objectContaining({ code: 'FIRE_FORMAT_UNKNOWN' }));
  });
});
