import { ALARM_CLASSES, type Alarm, VERDICTS } from '@smart-fire/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Effect, RaiseEffect } from '../rules/effect.ts';
import { follow } from './follow.ts';
import { type AlarmAction, isActive, step } from './lifecycle.ts';
import { alarmId, openAlarm } from './opening.ts';

const effect: RaiseEffect = {
  ...{ type: 'raise', shadow: false, no: 7, cause: 'fire:d:', time: 1, receivedAt: 2, detail: {} },
  ...{ class: 'fire', level: null, device: 'd', point: '', site: 's', zone: null, rule: null, event: 'fire' },
  explanation: { zh: '火警', en: 'Fire' },
};
const opened = (more: Partial<RaiseEffect> = {}) => openAlarm({ ...effect, ...more }, true);

const anyAlarm = fc
  .record({ class: fc.constantFrom(...ALARM_CLASSES), rule: fc.constantFrom(null, 'preset:x:y') })
  .map((more) => opened(more));
const anyAction: fc.Arbitrary<AlarmAction> = fc.oneof(
  fc.constant({ type: 'repeat', at: 10 } as const),
  fc.constant({ type: 'clear', at: 11 } as const),
  fc.constant({ type: 'acknowledge', at: 12, by: 'A', reason: 'mine' } as const),
  fc.constantFrom(...VERDICTS).map((verdict) => ({ type: 'verify', at: 13, by: 'A', verdict }) as const),
  fc.constant({ type: 'close', at: 14, by: 'A' } as const),
);

/** Every alarm on the way through the actions, refusals left out. */
function walk(alarm: Alarm, actions: AlarmAction[]): { before: Alarm; action: AlarmAction; after: Alarm }[] {
  const steps = [];
  let before = alarm;
  for (const action of actions) {
    const after = step(before, action);
    if (typeof after === 'string') continue;
    steps.push({ before, action, after });
    before = after;
  }
  return steps;
}

const must = (result: Alarm | string): Alarm => {
  if (typeof result === 'string') throw new Error(result);
  return result;
};

describe('the state chart', () => {
  it('grows the version by one with every change, and with nothing else', () => {
    fc.assert(
      fc.property(anyAlarm, fc.array(anyAction, { maxLength: 30 }), (alarm, actions) => {
        for (const { before, after } of walk(alarm, actions))
          expect(after.version).toBe(before.version + (after === before ? 0 : 1));
      }),
      { numRuns: 300 },
    );
  });

  it('loses an acknowledgement to a repeated fire only', () => {
    fc.assert(
      fc.property(anyAlarm, fc.array(anyAction, { maxLength: 30 }), (alarm, actions) => {
        for (const { before, action, after } of walk(alarm, actions))
          if (before.acknowledgedBy !== null && after.acknowledgedBy === null)
            expect([before.class, action.type]).toEqual(['fire', 'repeat']);
      }),
      { numRuns: 300 },
    );
  });

  it('has no dead state: from anywhere an operator gets it closed once the condition is gone', () => {
    fc.assert(
      fc.property(anyAlarm, fc.array(anyAction, { maxLength: 30 }), (alarm, actions) => {
        const reached = walk(alarm, actions).at(-1)?.after ?? alarm;
        const way: AlarmAction[] = [
          { type: 'clear', at: 20 },
          { type: 'verify', at: 21, by: 'B', verdict: 'real-fire' },
          { type: 'close', at: 22, by: 'B' },
        ];
        const end = walk(reached, way).at(-1)?.after ?? reached;
        expect(end.state).toBe('closed');
        for (const action of [...way, { type: 'acknowledge', at: 23, by: 'B', reason: '' } as const]) {
          const after = step(end, action);
          expect(after === end || after === 'FIRE_ALARM_CLOSED').toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never ends a fire without a verdict and a person', () => {
    fc.assert(
      fc.property(fc.array(anyAction, { maxLength: 30 }), (actions) => {
        for (const { after } of walk(opened(), actions))
          if (after.state === 'closed') expect(after).toMatchObject({ closedBy: 'A', verdict: expect.any(String) });
      }),
      { numRuns: 300 },
    );
  });

  it('sounds a repeated fire again and withdraws what was said before it, except that it is real', () => {
    let alarm = must(step(opened(), { type: 'acknowledge', at: 3, by: 'A', reason: 'mine' }));
    alarm = must(step(alarm, { type: 'verify', at: 4, by: 'A', verdict: 'test' }));
    alarm = must(step(alarm, { type: 'repeat', at: 5 }));
    expect(alarm).toMatchObject({ state: 'active-unacknowledged', acknowledgedBy: null, verdict: null, count: 2 });
    alarm = must(step(alarm, { type: 'verify', at: 6, by: 'A', verdict: 'real-fire' }));
    expect(step(alarm, { type: 'repeat', at: 7 })).toMatchObject({ verdict: 'real-fire', count: 3 });
  });

  it('closes a fault by itself once it is cleared and acknowledged, in either order', () => {
    const acknowledge: AlarmAction = { type: 'acknowledge', at: 3, by: 'A', reason: 'mine' };
    const clear: AlarmAction = { type: 'clear', at: 4 };
    for (const way of [
      [acknowledge, clear],
      [clear, acknowledge],
    ]) {
      const alarm = way.reduce((before, action) => must(step(before, action)), opened({ class: 'fault' }));
      expect(alarm).toMatchObject({ state: 'closed', closedBy: null, clearedAt: 4, acknowledgedBy: 'A' });
    }
  });

  it('refuses a close with the code that says why', () => {
    const close: AlarmAction = { type: 'close', at: 9, by: 'A' };
    const acknowledge: AlarmAction = { type: 'acknowledge', at: 3, by: 'A', reason: 'mine' };
    const verify: AlarmAction = { type: 'verify', at: 3, by: 'A', verdict: 'false-alarm' };
    expect(step(opened(), close)).toBe('FIRE_ALARM_VERDICT_REQUIRED');
    expect(must(step(must(step(opened(), verify)), close)).state).toBe('closed');
    const fault = opened({ class: 'fault' });
    expect(step(fault, close)).toBe('FIRE_ALARM_NOT_ACKNOWLEDGED');
    expect(step(must(step(fault, acknowledge)), close)).toBe('FIRE_ALARM_STILL_ACTIVE');
    expect(must(step(must(step(fault, verify)), close)).state).toBe('closed');
    const byRule = opened({ rule: 'preset:x:y', event: null });
    expect(step(must(step(byRule, verify)), close)).toBe('FIRE_ALARM_STILL_ACTIVE');
  });
});

describe('the level of an alarm', () => {
  const early = opened({ class: 'early-warning', level: 'early', rule: 'preset:fire-fusion' });
  const explanation = { zh: '传感器一致', en: 'The sensors agree' };

  it('only rises; risen to fire it withdraws the acknowledgement, sounds again and says so', () => {
    const known = must(step(early, { type: 'acknowledge', at: 3, by: 'A', reason: 'mine' }));
    const same = must(step(known, { type: 'repeat', at: 4, level: 'early', explanation }));
    expect(same).toMatchObject({ level: 'early', state: 'active-acknowledged', explanation: early.explanation });
    const fire = must(step(same, { type: 'repeat', at: 5, level: 'fire', explanation }));
    expect(fire).toMatchObject({
      level: 'fire',
      state: 'active-unacknowledged',
      acknowledgedBy: null,
      count: 3,
      explanation,
    });
    const again = must(step(fire, { type: 'acknowledge', at: 6, by: 'A', reason: 'mine' }));
    const less = must(step(again, { type: 'repeat', at: 7, level: 'early', explanation: early.explanation }));
    expect(less).toMatchObject({ level: 'fire', state: 'active-acknowledged', explanation });
  });
});

describe('following effects', () => {
  it('keeps one unclosed alarm per cause whatever comes', () => {
    const clear: Effect = { type: 'clear', shadow: false, cause: 'fire:d:', no: 8, time: 1, receivedAt: 2, detail: {} };
    fc.assert(
      fc.property(anyAlarm, fc.array(fc.constantFrom(effect, clear), { maxLength: 20 }), (alarm, effects) => {
        let current: Alarm | undefined = alarm;
        for (const one of effects) {
          const before: Alarm = current;
          const after = follow(before, one, true);
          if (!after) continue;
          current = after.alarm;
          expect(current.id).toBe(before.state === 'closed' ? alarmId(one.cause, one.no, one.receivedAt) : before.id);
          expect(isActive(current)).toBe(one.type === 'raise');
          expect(after.entry.version).toBe(current.version);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('names an alarm by its cause and opening number, as a UUIDv5', () => {
    expect(alarmId('fire:d:', 7, 1)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(alarmId('fire:d:', 7, 1)).toBe(alarmId('fire:d:', 7, 1));
    expect(alarmId('fire:d:', 8, 1)).not.toBe(alarmId('fire:d:', 7, 1));
    expect(alarmId('fire:d:', 7, 2)).not.toBe(alarmId('fire:d:', 7, 1));
  });
});
