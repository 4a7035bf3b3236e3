import type { Rule, ThresholdRule } from '@smart-fire/core';
import { PRESETS } from '@smart-fire/core/sensors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeRules } from '../testing/fake-rules.ts';
import { ownRule, TWO_HOT } from '../testing/own-rule.ts';
import { Scene } from '../testing/scene.ts';
import { decodeManifest, decodePart, encodeManifest, encodePart } from './checkpoint.ts';
import type { Effect, RaiseEffect } from './effect.ts';
import { Engine } from './engine.ts';

const START = Date.UTC(2026, 10, 23, 0, 0, 20);
const SITES = ['s1', 's2'];

/** Every way a rule can be: on series, devices, zones and silence, with levels, learning, in shadow, withheld by hours and by work. */
function everyRule(): FakeRules {
  const flow = { metric: 'flow', direction: 'above', limit: 5, hysteresis: 1, forMs: 0 };
  const fusion: Rule = { ...PRESETS.find(({ id }) => id === 'preset:fire-fusion')!, scope: { kinds: ['heat'] } };
  const rules = new FakeRules().add(
    TWO_HOT,
    fusion,
    ownRule('both', {
      type: 'expression',
      metrics: ['pressure', 'flow'],
      expression: 'pressure < 100.0 && flow > 5.0',
    }),
    ownRule('habit', { type: 'baseline', metric: 'flow', rareDays: 300, warmUp: 10, learn: true }),
    ownRule('tried', { type: 'threshold', ...flow }, { mode: 'shadow' }),
    ownRule(
      'by-hours',
      { type: 'threshold', ...flow },
      { schedule: { windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '08:01', to: '08:03' }] } },
    ),
    ownRule(
      'wide',
      { type: 'threshold', ...flow, limit: 9 },
      {
        overrides: [{ id: 'o', scope: { site: 's2' }, changes: { limit: 7, forMs: 3000 } }],
      },
    ),
  );
  rules.maintenance = SITES.map((site, index) => ({
    ...{ id: `m-${site}`, scope: { site }, from: START + 30_000, to: START + 90_000 + index * 60_000 },
    ...{ reason: 'work', by: 'p' },
  }));
  return rules;
}

interface Message {
  site: string;
  device: string;
  metric: 'temperature' | 'pressure' | 'flow';
  value: number;
  event: string;
}
interface Moment {
  seconds: number;
  /** And so many more in which telemetry was refused. */
  deaf: number;
  messages: Message[];
  /** A rule that is switched off or on before it, or judges by another limit. */
  change: string;
  /** What happens to us after it; 'refused': the journal does not take it, and what was measured is sent again with the next. */
  after: 'nothing' | 'restart' | 'again' | 'refused' | 'refused, restart';
}

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    ...{ site: fc.constantFrom(...SITES), device: fc.constantFrom('h1', 'h2', 'alone') },
    ...{ metric: fc.constant('temperature' as const), value: fc.constantFrom(20, 21, 45, 60, 90) },
    event: fc.constantFrom('', '', '', 'fire', 'restored', 'test'),
  }),
  fc.record({
    ...{ site: fc.constantFrom(...SITES), device: fc.constant('p') },
    ...{ metric: fc.constantFrom('pressure' as const, 'flow' as const), value: fc.constantFrom(1, 4, 8, 80, 120) },
    event: fc.constantFrom('', '', '', 'fault', 'fault-restored', 'tamper'),
  }),
);
const script: fc.Arbitrary<Moment[]> = fc.array(
  fc.record({
    seconds: fc.constantFrom(1, 2, 6, 31, 70),
    deaf: fc.constantFrom(0, 0, 0, 5, 100),
    messages: fc.array(message, { maxLength: 6 }),
    change: fc.constant(''),
    after: fc.constantFrom('nothing' as const, 'restart' as const, 'again' as const),
  }),
  { maxLength: 14 },
);

interface Late {
  at: number;
  message: Message;
}

/** The rule switched off, or on again; `wide` gets another limit and duration instead. */
function changed(rules: FakeRules, id: string): void {
  const rule = rules.rules.find((one) => one.id === id)!;
  if (id !== 'wide') rules.change(id, { mode: rule.mode === 'off' ? 'on' : 'off' });
  else {
    const definition = rule.definition as ThresholdRule;
    const limit = definition.limit === 9 ? 3 : 9;
    rules.change(id, { definition: { ...definition, limit, forMs: limit * 1000 } });
  }
}

interface Options {
  late?: readonly Late[];
  /** Changed rules reach one device at once, and the others after the next messages. */
  slowly?: boolean;
  /** Nothing is refused; what is sent again is history. */
  kept?: boolean;
}

/** What each site's causes did, and when. */
function run(
  moments: readonly Moment[],
  { late = [], slowly = false, kept = false }: Options = {},
): { alarms: string[][]; withheld: string[][] } {
  const scene = new Scene();
  scene.now = START;
  for (const site of SITES) {
    scene.registry.putZone({ id: `z-${site}`, site, name: '' });
    scene.device(`g-${site}`, 'gateway', { site }).device(`p-${site}`, 'pump', { site, gateway: `g-${site}` });
    for (const id of ['h1', 'h2']) scene.device(`${id}-${site}`, 'heat', { site, zone: `z-${site}` });
    scene.device(`alone-${site}`, 'heat', { site });
  }
  const rules = everyRule();
  const effects: Effect[] = [];
  const start = () =>
    new Engine({
      ...{ registry: scene.registry, ...rules.current(), withheld: rules, series: scene.series },
      ...{ timeZone: 'Asia/Shanghai', emit: (effect) => effects.push(effect), devicesAtATime: slowly ? 1 : 1000 },
    });
  let engine = start();
  let again: { message: Message; time: number }[] = [];
  for (const [index, { seconds, deaf, messages, change, after }] of moments.entries()) {
    if (change !== '') {
      changed(rules, change);
      engine.setRules(rules.current().rules, rules.current().maintenance, scene.now);
    }
    const send = ({ site, device, metric, value, event }: Message, isLate: boolean) => {
      scene.reading(`${device}-${site}`, metric, value, isLate ? { late: true, time: scene.now - 5000 } : {});
      if (event && !isLate) scene.event(`${device}-${site}`, event);
    };
    for (const { message, time } of again)
      scene.reading(`${message.device}-${message.site}`, message.metric, message.value, { time, late: kept });
    const refused = after.startsWith('refused');
    again = refused ? [...again, ...messages.map((message) => ({ message, time: scene.now }))] : [];
    for (const one of messages) send(one, false);
    for (const one of late) if (one.at === index) send(one.message, true);
    const no = scene.nextNo;
    const batch = scene.seconds(seconds).deafSeconds(deaf).batch();
    engine.consume(batch);
    if (after === 'again') engine.consume(batch);
    if (refused && !kept) {
      engine.refused({ no, batches: [batch], kept: [] });
      scene.refused(no);
    }
    const restart = after.endsWith('restart');
    while (!restart && !engine.settle(scene.now));
    if (!restart) continue;
    const { head, parts } = engine.snapshot();
    const bytes = [...parts()].flatMap((part) => (part ? [encodePart(part)] : []));
    const manifest = encodeManifest({ ...head, generation: 0, parts: bytes.length });
    engine = start();
    engine.restore(decodeManifest(2, manifest), bytes.map(decodePart));
    const before = effects.length;
    engine.reconcile(active(effects), scene.now);
    // What had still to come to changed rules has come to them now.
    if (!slowly) expect(effects.slice(before)).toEqual([]);
  }
  const told = effects.map((effect) => {
    const { level = null, device = '' } = effect as Partial<RaiseEffect>;
    return `${effect.time - START} ${effect.shadow ? 'shadow ' : ''}${effect.type} ${effect.cause} ${level} ${device}`;
  });
  const ofSite = (lines: string[]) => SITES.map((site) => lines.filter((line) => line.includes(`-${site}`)).sort());
  return { alarms: ofSite(told), withheld: ofSite(rules.heard()) };
}

/** Causes of rules' alarms that are there. */
function active(effects: readonly Effect[]): Set<string> {
  const causes = new Set<string>();
  for (const effect of effects) {
    if (effect.shadow) continue;
    if (effect.type === 'clear') causes.delete(effect.cause);
    else if (effect.rule !== null) causes.add(effect.cause);
  }
  return causes;
}

describe('the alarms of a site', () => {
  it('are the same with restarts between any two steps and with everything delivered twice', () => {
    fc.assert(
      fc.property(script, (moments) => {
        expect(run(moments)).toEqual(run(moments.map((moment) => ({ ...moment, after: 'nothing' }))));
      }),
      { numRuns: 150 },
    );
  });

  it('are the same however the messages of other sites come in between, and without them', () => {
    fc.assert(
      fc.property(script, (moments) => {
        const only = (...sites: string[]) =>
          run(
            moments.map((moment) => ({
              ...moment,
              messages: sites.flatMap((site) => moment.messages.filter((one) => one.site === site)),
            })),
          );
        const all = run(moments);
        expect(only('s2', 's1')).toEqual(all);
        expect(only('s1').alarms[0]).toEqual(all.alarms[0]);
        expect(only('s2').alarms[1]).toEqual(all.alarms[1]);
      }),
      { numRuns: 100 },
    );
  });

  it('are the same when the journal refuses what rules have seen and it is sent again, as when it keeps it', () => {
    const withRefusals = script.chain((moments) =>
      fc.tuple(
        ...moments.map((moment) =>
          fc
            .constantFrom(moment.after, 'refused' as const, 'refused, restart' as const)
            .map((after) => ({ ...moment, after })),
        ),
      ),
    );
    // Whoever sends again is not silent.
    const unheard = ({ alarms, withheld }: ReturnType<typeof run>) =>
      [alarms, withheld].map((sites) => sites.map((lines) => lines.filter((line) => !line.includes('absence'))));
    fc.assert(
      fc.property(withRefusals, (moments) => {
        expect(unheard(run(moments))).toEqual(unheard(run(moments, { kept: true })));
      }),
      { numRuns: 150 },
    );
  });

  it('are neither raised, cleared nor changed by readings older than the last of their series', () => {
    const late = fc.array(fc.record({ at: fc.nat(13), message }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(script, late, (moments, some) => {
        expect(run(moments, { late: some })).toEqual(run(moments));
      }),
      { numRuns: 100 },
    );
  });

  it('are the same whether devices come to changed rules at once or one by one, but for the time at which what has no rule any more ends', () => {
    const rules = [
      'preset:pump:low',
      'preset:pump:absence',
      'preset:gateway:absence',
      'preset:heat:hot',
      'two-hot',
      'both',
      'by-hours',
      'wide',
    ];
    const withChanges = script.chain((moments) =>
      fc.tuple(...moments.map((moment) => fc.constantFrom('', ...rules).map((change) => ({ ...moment, change })))),
    );
    const untimed = ({ alarms, withheld }: ReturnType<typeof run>) => ({
      alarms: alarms.map((lines) => lines.map((line) => line.slice(line.indexOf(' '))).sort()),
      withheld,
    });
    fc.assert(
      fc.property(withChanges, (moments) => {
        const unbroken = moments.map((moment) => ({ ...moment, after: 'nothing' as const }));
        expect(untimed(run(unbroken, { slowly: true }))).toEqual(untimed(run(unbroken)));
        expect(untimed(run(moments, { slowly: true })).alarms).toEqual(untimed(run(moments)).alarms);
      }),
      { numRuns: 150 },
    );
  });
});
