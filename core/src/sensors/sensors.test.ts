import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EVENTS } from '../model/event.ts';
import { isMetric, type Metric } from '../model/metrics.ts';
import { isThresholdRule, isVerdictRule } from '../model/rule.ts';
import { runSensor } from '../testing/sensor-run.ts';
import { getSensorKind, SENSOR_KINDS } from './index.ts';
import type { Disturbance } from './sensor.ts';

const JANUARY = Date.UTC(2026, 0, 10);
const JULY = Date.UTC(2026, 6, 10);
const MONTH = 30 * 86_400;

describe('the sensor catalogue', () => {
  it('has every file of its folder in the index', () => {
    const files = readdirSync(import.meta.dirname)
      .filter((file) => file.endsWith('.ts') && !file.includes('.test.') && !['index.ts', 'sensor.ts'].includes(file))
      .map((file) => file.slice(0, -3));
    expect(SENSOR_KINDS.map((kind) => kind.kind).sort()).toEqual(files.sort());
    for (const kind of SENSOR_KINDS) expect(getSensorKind(kind.kind)).toBe(kind);
    expect(getSensorKind('constructor')).toBeUndefined();
  });

  it('can be loaded by a browser: nothing in it imports from Node', () => {
    for (const file of readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.includes('.test.')) continue;
      expect(readFileSync(`${import.meta.dirname}/${file}`, 'utf8')).not.toMatch(/from 'node:/);
    }
  });

  it.each(SENSOR_KINDS.map((kind) => [kind.kind, kind] as const))('%s is complete', (_, kind) => {
    expect(kind.zh).toMatch(/\p{Script=Han}/u);
    expect(kind.en).toMatch(/^[\x20-\x7e]+$/);
    expect(kind.alertIntervalMs).toBeLessThanOrEqual(kind.intervalMs);
    const metrics = kind.metrics.map((spec) => spec.metric);
    expect(new Set(metrics).size).toBe(metrics.length);
    for (const { metric, valid, measuring } of kind.metrics) {
      expect(isMetric(metric)).toBe(true);
      expect(valid[0]).toBeLessThanOrEqual(measuring[0]);
      expect(measuring[0]).toBeLessThan(measuring[1]);
      expect(measuring[1]).toBeLessThanOrEqual(valid[1]);
    }
    const ids = kind.rules.map((rule) => rule.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const rule of kind.rules) {
      expect(rule.zh).toMatch(/\p{Script=Han}/u);
      expect(rule.en).toMatch(/^[\P{Script=Han}]+$/u);
      expect(rule.source.zh).toMatch(/\p{Script=Han}/u);
      expect(rule.source.en.length).toBeGreaterThan(10);
      if (isVerdictRule(rule)) expect(Object.hasOwn(EVENTS, rule.event)).toBe(true);
      if (isThresholdRule(rule)) {
        const spec = kind.metrics.find(({ metric }) => metric === rule.metric);
        expect(spec).toBeDefined();
        expect(rule.limit).toBeGreaterThan(spec!.valid[0]);
        expect(rule.limit).toBeLessThan(spec!.valid[1]);
        expect(rule.hysteresis).toBeGreaterThan(0);
      }
    }
    const absences = kind.rules.filter((rule) => rule.type === 'absence');
    expect(absences).toHaveLength(1);
    // One lost message is no silence.
    expect(absences[0]!.afterMs).toBeGreaterThan(2 * kind.intervalMs);
    for (const event of ['fire', 'fault', 'low-battery', 'tamper'])
      expect(kind.rules.some((rule) => rule.type === 'verdict' && rule.event === event)).toBe(true);
  });
});

describe('a simulated device', () => {
  it.each(SENSOR_KINDS.map((kind) => [kind.kind, kind] as const))(
    '%s raises nothing in a normal month of winter or summer, and stays within its measuring range',
    (_, kind) => {
      const ranges = new Map(kind.metrics.map(({ metric, measuring }) => [metric, measuring]));
      const seen = new Set<string>();
      for (let seed = 1; seed <= 8; seed += 1) {
        const { raised, events } = runSensor({
          kind,
          seed,
          from: seed % 2 ? JANUARY : JULY,
          seconds: MONTH,
          onSample(values) {
            for (const [metric, value] of Object.entries(values) as [Metric, number][]) {
              const range = ranges.get(metric);
              seen.add(metric);
              if (!range || value < range[0] || value > range[1] || !Number.isFinite(value))
                throw new Error(`${metric} = ${value} lies outside ${range}`);
            }
          },
        });
        expect([...raised.keys(), ...events.keys()]).toEqual([]);
      }
      expect([...seen].sort()).toEqual(kind.metrics.map(({ metric }) => metric).sort());
    },
  );

  it.each(SENSOR_KINDS.map((kind) => [kind.kind, kind] as const))(
    '%s raises nothing when it is sampled at its quick pace either',
    (_, kind) => {
      const step = kind.alertIntervalMs / 1000;
      for (const from of [JANUARY, JULY]) {
        const { raised, events } = runSensor({ kind, seed: 77, from, seconds: 3 * 86_400, step });
        expect([...raised.keys(), ...events.keys()]).toEqual([]);
      }
    },
  );

  /** t² growth from a minute in, medium (0.0117 kW/s²), out after 12 minutes. */
  const growing = (seconds: number): Disturbance =>
    seconds < 60 || seconds > 780 ? {} : { fireKw: 0.0117 * (seconds - 60) ** 2, flaming: 1 };
  const smouldering = (seconds: number): Disturbance => ({ fireKw: Math.min(1.5, seconds / 1500), flaming: 0 });
  const after = (disturbance: Disturbance) => (seconds: number) => (seconds < 600 ? {} : disturbance);

  const cases: [
    kind: string,
    what: string,
    hours: number,
    disturbance: (s: number) => Disturbance,
    expected: string[],
  ][] = [
    ['smoke-detector', 'a growing fire', 1, growing, ['fire', 'restored', 'heat']],
    ['smoke-detector', 'a smouldering fire', 2, smouldering, ['fire']],
    ['smoke-alarm', 'a growing fire', 1, growing, ['fire', 'restored']],
    ['smoke-alarm', 'a smouldering fire', 2, smouldering, ['fire']],
    ['heat-detector', 'a growing fire', 1, growing, ['warm', 'fire', 'heat', 'restored']],
    ['co-detector', 'a smouldering fire', 3, smouldering, ['co-50', 'co-100', 'co-300', 'fire']],
    ['gas-detector', 'a gas leak', 2, after({ gasLeak: 1 }), ['gas-low', 'gas-high', 'supervisory']],
    ['manual-call-point', 'a growing fire', 1, growing, ['fire', 'restored']],
    ['hydrant-pressure', 'a leak', 2, after({ pressureLoss: 0.7 }), ['pressure-low']],
    ['sprinkler-pressure', 'a stopped pump', 2, after({ pumpStopped: true }), ['pressure-low']],
    ['sprinkler-pressure', 'a leak', 2, after({ pressureLoss: 0.8 }), ['pressure-low']],
    ['tank-level', 'a stopped supply', 8, after({ pumpStopped: true }), ['level-low']],
    ['tank-level', 'a leak', 8, after({ pressureLoss: 1 }), ['level-low']],
    ['flow-switch', 'a burst branch', 1, after({ pressureLoss: 0.5 }), ['flow', 'fire']],
    ['flow-switch', 'a fire that opens heads', 1, growing, ['flow', 'fire', 'restored']],
    ['residual-current', 'leakage', 1, after({ leakageMa: 500 }), ['leakage', 'leakage-high']],
    ['cable-temperature', 'an overload', 4, after({ overload: 1.2 }), ['cable-hot']],
    ['electrical-load', 'an overload', 1, after({ overload: 1.5 }), ['overload', 'overload-high']],
    ['arc-fault', 'a loose joint', 1, after({ arcing: 25 }), ['arcs']],
    ...SENSOR_KINDS.filter((kind) => kind.metrics.some(({ metric }) => metric === 'battery')).map(
      (kind): (typeof cases)[number] => [
        kind.kind,
        'an empty battery',
        1,
        after({ batteryLoss: 95 }),
        ['battery-low', 'low-battery'],
      ],
    ),
  ];

  it.each(cases)('%s answers to %s', (name, _, hours, disturbance, expected) => {
    const kind = getSensorKind(name)!;
    for (const seed of [3, 4, 5]) {
      const { raised, events } = runSensor({
        kind,
        seed,
        from: JANUARY,
        seconds: hours * 3600,
        step: kind.alertIntervalMs / 1000,
        disturbance,
      });
      expect([...raised.keys(), ...events.keys()]).toEqual(expect.arrayContaining(expected));
    }
  });

  it('sees a smouldering fire in its smoke before it declares it', () => {
    const kind = getSensorKind('smoke-detector')!;
    let noticed = Number.POSITIVE_INFINITY;
    const { events } = runSensor({
      kind,
      seed: 9,
      from: JANUARY,
      seconds: 7200,
      step: 5,
      disturbance: smouldering,
      onSample(values, at) {
        if (values.smoke_density! > 0.15) noticed = Math.min(noticed, at);
      },
    });
    expect(events.get('fire')! - noticed).toBeGreaterThan(30);
  });
});
