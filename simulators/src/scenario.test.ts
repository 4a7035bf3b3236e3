import { type FireError, isAbsenceRule } from '@smart-fire/core';
import { getSensorKind } from '@smart-fire/core/sensors';
import { runSensor } from '@smart-fire/core/testing';
import { describe, expect, it } from 'vitest';
import { createCounty } from './demo-county.ts';
import { layOver, parseScenario, readScenario, scenarioNames } from './scenario.ts';

const county = createCounty(200);
const kindOf = new Map(county.devices.map((device) => [device.id, device.kind]));
const START = Date.UTC(2026, 2, 15, 2);

function problemsOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return `${(error as FireError).code} ${(error as FireError).message}`;
  }
  return '';
}

describe('the scenarios that come with the program', () => {
  it('are the nine that people ask for', () => {
    expect(scenarioNames()).toEqual([
      'alarm-flood',
      'dying-battery',
      'gateway-loss',
      'growing-fire',
      'hydrant-leak',
      'leakage-creep',
      'overloaded-cable',
      'pump-failure',
      'smouldering',
    ]);
  });

  it.each(scenarioNames())('%s keeps its promises on the demo county', (name) => {
    const scenario = readScenario(name);
    expect(scenario.name).toBe(name);
    const script = layOver(scenario, county.devices);
    for (const { kind: kindName, comes, within } of scenario.promises) {
      const kind = getSensorKind(kindName)!;
      const rule = kind.rules.find(({ id }) => id === comes)!;
      const concerned = [...script.concerned].filter((device) => kindOf.get(device) === kindName);
      // A step that only declares disturbs nobody's physics.
      const disturbed = concerned.filter((device) =>
        script.turns.some(({ at }) => {
          const { disturbance, offline } = script.situation(device, at);
          return offline || Object.keys(disturbance).length > 0;
        }),
      );
      expect(disturbed.length, `${name} disturbs a ${kindName}`).toBeGreaterThan(0);
      for (const [seed, device] of disturbed.entries()) {
        if (isAbsenceRule(rule)) {
          const from = script.turns[0]!.at;
          for (let at = from; at < from + rule.afterMs / 1000; at += 1)
            expect(script.situation(device, at).offline).toBe(true);
          expect(from + rule.afterMs / 1000).toBeLessThanOrEqual(within);
          continue;
        }
        const { raised, events } = runSensor({
          kind,
          seed,
          from: START,
          seconds: within,
          step: kind.alertIntervalMs / 1000,
          disturbance: (seconds) => script.situation(device, seconds).disturbance,
        });
        expect(events.get(comes) ?? raised.get(comes), `${device} comes to ${comes}`).toBeLessThanOrEqual(within);
      }
    }
  });

  it('touch only the devices they select', () => {
    const script = layOver(readScenario('growing-fire'), county.devices);
    const zones = new Set(county.devices.filter(({ id }) => script.concerned.has(id)).map(({ zone }) => zone));
    expect([...zones]).toEqual(['demo-hotel-1-f1']);
    expect(script.situation('demo-hotel-1-f2-smoke-detector-1', 100)).toEqual({
      disturbed: false,
      disturbance: {},
      offline: false,
    });
    expect(script.situation('demo-hotel-1-f1-smoke-detector-1', 110).disturbance.fireKw).toBeCloseTo(0.0469 * 100 ** 2);
  });

  it('flood with one declaration of every device, each taken back later', () => {
    const { declarations } = layOver(readScenario('alarm-flood'), county.devices);
    expect(declarations.filter(({ event }) => event === 'fault')).toHaveLength(200);
    expect(declarations.filter(({ event }) => event === 'fault-restored')).toHaveLength(200);
    expect(declarations.map(({ at }) => at)).toEqual(declarations.map(({ at }) => at).sort((a, b) => a - b));
  });
});

describe('a scenario file', () => {
  const good = readScenario('hydrant-leak');

  it('is refused with every problem and the place when it is wrong', () => {
    expect(problemsOf(() => parseScenario('{', 'x.json'))).toMatch(/^FIRE_CONFIG_INVALID .*x\.json/s);
    const wrong = { ...good, timeline: [{ ...good.timeline[0], at: -1, disturbance: { fireKW: 3 } }] };
    const problems = problemsOf(() => parseScenario(JSON.stringify(wrong), 'x.json'));
    expect(problems).toContain('timeline[0].at');
    expect(problems).toContain('fireKW');
    const vague = { ...good, promises: [{ kind: 'hydrant-pressure', comes: 'flying', within: 9 }] };
    expect(problemsOf(() => parseScenario(JSON.stringify(vague), 'x.json'))).toContain('has no rule flying');
  });

  it('that does not exist is named together with those that do', () => {
    expect(problemsOf(() => readScenario('no-such'))).toMatch(/no-such.*growing-fire/s);
  });
});
