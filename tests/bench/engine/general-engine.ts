import { isAbsenceRule, isThresholdRule } from '@smart-fire/core';
import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { Engine } from 'json-rules-engine';
import { READING_METRIC } from '../fleet.ts';
import { TEN_RULES } from '../ten-rules.ts';

interface DeviceState {
  lastHeard: number;
  raised: Map<string, boolean>;
  since: Map<string, number>;
}

/**
 * The same rules in a general engine (json-rules-engine): the conditions are its own, what lasts between readings (hysteresis, minimum
 * duration, when a device was last heard) is kept for it by device, since it keeps none. It is given only the rules that an ordinary reading meets.
 */
export async function measureGeneralEngine(
  devices: number,
  readings: number,
): Promise<{ evaluationsPerSecond: number }> {
  const engine = new Engine([], { allowUndefinedFacts: true });
  let met = 0;
  for (const { id, definition } of presetRules(SENSOR_KINDS)) {
    if (!TEN_RULES.includes(id)) continue;
    if (isThresholdRule(definition) && definition.metric === READING_METRIC) {
      const operator = definition.direction === 'above' ? 'greaterThan' : 'lessThan';
      const conditions = { all: [{ fact: 'value', operator, value: definition.limit }] };
      engine.addRule({ name: id, conditions, event: { type: 'beyond', params: { id, forMs: definition.forMs } } });
      met++;
    } else if (isAbsenceRule(definition)) {
      const conditions = { all: [{ fact: 'silentMs', operator: 'greaterThan', value: definition.afterMs }] };
      engine.addRule({ name: id, conditions, event: { type: 'silent', params: { id } } });
      met++;
    }
  }
  const states: DeviceState[] = Array.from({ length: devices }, () => ({
    ...{ lastHeard: 0, raised: new Map(), since: new Map() },
  }));
  const order = Array.from({ length: devices }, (_, device) => (device * 7919) % devices);
  const began = performance.now();
  for (let done = 0; done < readings; done++) {
    const state = states[order[done % devices]!]!;
    const now = 1000 * Math.floor(done / devices);
    const { events } = await engine.run({ value: 2 + (done % 10) / 10, silentMs: now - state.lastHeard });
    state.lastHeard = now;
    for (const { type, params } of events) {
      const { id, forMs } = params as { id: string; forMs: number };
      if (type === 'beyond' && !state.since.has(id)) state.since.set(id, now);
      if (type === 'silent' || now - state.since.get(id)! >= forMs) state.raised.set(id, true);
    }
    if (events.length === 0 && state.since.size > 0) state.since.clear();
  }
  return { evaluationsPerSecond: (met * readings) / ((performance.now() - began) / 1000) };
}
