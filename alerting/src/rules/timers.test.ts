import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timers } from './timers.ts';

describe('timers', () => {
  it('give back every slot at its earliest deadline, in order, whatever was armed and removed in between', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('arm' as const), slot: fc.nat(20), due: fc.nat(50) }),
      fc.record({ do: fc.constant('remove' as const), slot: fc.nat(20) }),
      fc.record({ do: fc.constant('pop' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const places = new Map<number, number>();
        const timers = new Timers({
          place: (slot) => places.get(slot) ?? 0,
          setPlace: (slot, place) => places.set(slot, place),
        });
        const model = new Map<number, number>();
        const first = () => [...model].sort(([a, x], [b, y]) => x - y || a - b)[0];
        for (const one of steps) {
          if (one.do === 'arm') {
            timers.arm(one.slot, one.due);
            model.set(one.slot, Math.min(one.due, model.get(one.slot) ?? Infinity));
          } else if (one.do === 'remove') {
            timers.remove(one.slot);
            model.delete(one.slot);
          } else if (model.size > 0) {
            const [slot] = first()!;
            expect(timers.pop()).toBe(slot);
            model.delete(slot);
          }
          expect([timers.size, timers.next]).toEqual([model.size, first()?.[1] ?? Infinity]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
