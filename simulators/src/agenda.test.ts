import { FakeClock } from '@smart-fire/core/testing';
import { describe, expect, it } from 'vitest';
import { createAgenda } from './agenda.ts';

describe('an agenda', () => {
  it('calls an item once, at its latest date, in the order of dates', () => {
    const clock = new FakeClock();
    const called: string[] = [];
    const agenda = createAgenda<{ name: string }>(clock, ({ name }) => called.push(name));
    agenda.start();
    const [late, early, moved] = [{ name: 'late' }, { name: 'early' }, { name: 'moved' }];
    agenda.put(late, 2000);
    agenda.put(early, 500);
    agenda.put(moved, 5000);
    agenda.put(moved, 1000);
    clock.advance(499);
    expect(called).toEqual([]);
    clock.advance(10_000);
    expect(called).toEqual(['early', 'moved', 'late']);
    agenda.put(late, 100);
    agenda.stop();
    clock.advance(1000);
    expect(called).toHaveLength(3);
  });
});
