import type { Alarm, AlarmClass, AlarmState } from '@smart-fire/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareAlarms, countAlarms, dutyList } from './order.ts';

function alarm(id: string, name: AlarmClass, state: AlarmState = 'active-unacknowledged', raisedAt = 0): Alarm {
  return { id, class: name, state, raisedAt, device: `device-${id}`, site: 'site-1' } as Alarm;
}
const everything = { classes: new Set<AlarmClass>(), states: new Set<AlarmState>(), text: '' };
const textOf = (one: Alarm) => one.device;

describe('the duty list', () => {
  it('puts the most urgent class first, then what is unacknowledged, then the newest', () => {
    const list = [
      alarm('a', 'fault', 'active-unacknowledged', 5),
      alarm('b', 'supervisory', 'active-acknowledged', 9),
      alarm('c', 'supervisory', 'active-unacknowledged', 1),
      alarm('d', 'supervisory', 'active-unacknowledged', 2),
    ];
    expect(list.sort(compareAlarms).map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a']);
  });

  it('shows every fire whatever the filter and the search say', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom<AlarmClass>('fire', 'fault', 'disabled'),
            fc.constantFrom<AlarmState>('active-unacknowledged', 'cleared-acknowledged'),
          ),
        ),
        fc.subarray<AlarmClass>(['fault', 'disabled', 'supervisory']),
        fc.subarray<AlarmState>(['active-acknowledged', 'cleared-acknowledged']),
        fc.string(),
        (made, classes, states, text) => {
          const all = made.map(([name, state], i) => alarm(String(i), name, state, i));
          const list = dutyList(all, { classes: new Set(classes), states: new Set(states), text }, textOf);
          expect(list.fires).toHaveLength(all.filter((one) => one.class === 'fire').length);
          expect(list.fires.length + list.others.length + list.hidden).toBe(all.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('puts a fire-grade early warning among the fires, out of reach of filters', () => {
    const grave = { ...alarm('a', 'early-warning', 'active-unacknowledged', 9), level: 'fire' as const };
    const early = { ...alarm('b', 'early-warning'), level: 'early' as const };
    const filter = { ...everything, classes: new Set<AlarmClass>(['fault']), text: 'nothing' };
    const list = dutyList([early, alarm('c', 'fire', 'active-unacknowledged', 1), grave], filter, textOf);
    expect(list.fires.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(list.hidden).toBe(1);
  });

  it('searches all words in any order and says how many it left out', () => {
    const list = dutyList([alarm('a', 'fault'), alarm('b', 'fault')], { ...everything, text: 'A device' }, textOf);
    expect(list.others.map(({ id }) => id)).toEqual(['a']);
    expect(list.hidden).toBe(1);
  });

  it('counts every unclosed alarm by class and state', () => {
    const counts = countAlarms([
      alarm('a', 'fire'),
      alarm('b', 'fire', 'cleared-acknowledged'),
      alarm('c', 'fault', 'closed'),
    ]);
    expect(counts.classes).toMatchObject({ fire: 2, fault: 0 });
    expect(counts.states['active-unacknowledged']).toBe(1);
    expect(counts.unacknowledged).toBe(1);
  });
});
