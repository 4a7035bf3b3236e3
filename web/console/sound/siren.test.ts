import { describe, expect, it } from 'vitest';
import {
  initialSiren,
  type Siren,
  type SirenEvent,
  sirenState,
  soundingClass,
  stepSiren,
  type Waiting,
} from './siren.ts';

const after = (...events: SirenEvent[]): Siren => events.reduce(stepSiren, initialSiren);
const fire = (id: string, count = 1): SirenEvent => ({
  type: 'changed',
  alarms: new Map([[id, { class: 'fire', count }]]),
});
const fault = (id: string, count = 1): SirenEvent => ({
  type: 'changed',
  alarms: new Map([[id, { class: 'fault', count }]]),
});
const gone = (id: string): SirenEvent => ({ type: 'changed', alarms: new Map([[id, null]]) });
const unlocked: SirenEvent = { type: 'unlocked' };
const silence: SirenEvent = { type: 'silence' };

describe('the siren', () => {
  it('is blocked until the browser allows sound, and says so even when an alarm waits', () => {
    expect(sirenState(after())).toBe('blocked');
    expect(sirenState(after(fire('a')))).toBe('blocked');
  });

  it('is armed and quiet when nothing waits', () => {
    expect(sirenState(after(unlocked))).toBe('armed');
    expect(soundingClass(after(unlocked))).toBeNull();
  });

  it('sounds at once for an alarm that came while it was blocked', () => {
    expect(sirenState(after(fire('a'), unlocked))).toBe('sounding');
  });

  it('plays the tone of the most urgent class', () => {
    expect(soundingClass(after(unlocked, fault('a'), fire('b')))).toBe('fire');
    expect(soundingClass(after(unlocked, fault('a'), fire('b'), gone('b')))).toBe('fault');
  });

  it('stays silenced for what was sounding, and sounds again for a new alarm of any class', () => {
    expect(sirenState(after(unlocked, fire('a'), silence))).toBe('silenced');
    expect(sirenState(after(unlocked, fire('a'), silence, fault('b')))).toBe('sounding');
  });

  it('sounds again when a fire repeats, and not when a fault repeats', () => {
    expect(sirenState(after(unlocked, fire('a'), silence, fire('a', 2)))).toBe('sounding');
    expect(sirenState(after(unlocked, fault('a'), silence, fault('a', 2)))).toBe('silenced');
  });

  it('sounds as a fire when an early warning becomes fire-grade, even if it was silenced before', () => {
    const warning = (name: 'early-warning' | 'fire'): SirenEvent => ({
      type: 'changed',
      alarms: new Map([['a', { class: name, count: 1 }]]),
    });
    const silenced = after(unlocked, warning('early-warning'), silence);
    expect(sirenState(silenced)).toBe('silenced');
    expect(soundingClass(stepSiren(silenced, warning('fire')))).toBe('fire');
    // What becomes less urgent is no news.
    expect(sirenState(after(unlocked, warning('fire'), silence, warning('early-warning')))).toBe('silenced');
  });

  it('sounds again when a repeat withdraws an acknowledgement', () => {
    expect(sirenState(after(unlocked, fire('a'), gone('a'), fire('a', 2)))).toBe('sounding');
  });

  it('falls quiet when everything is acknowledged, and forgets the silence', () => {
    expect(sirenState(after(unlocked, fire('a'), silence, gone('a')))).toBe('armed');
    expect(sirenState(after(unlocked, fire('a'), silence, gone('a'), fire('a')))).toBe('sounding');
  });

  it('does not sound again for known alarms after a resynchronisation, but does for those missed', () => {
    const known = new Map([['a', { class: 'fire' as const, count: 1 }]]);
    const more = new Map<string, Waiting>([...known, ['b', { class: 'fault', count: 1 }]]);
    expect(sirenState(after(unlocked, fire('a'), silence, { type: 'snapshot', waiting: known }))).toBe('silenced');
    expect(sirenState(after(unlocked, fire('a'), silence, { type: 'snapshot', waiting: more }))).toBe('sounding');
  });

  it('does not sound again for known alarms that follow a snapshot in parts', () => {
    const first = new Map([['a', { class: 'fire' as const, count: 1 }]]);
    const state = after(unlocked, fire('a'), fault('b'), silence, { type: 'snapshot', waiting: first }, fault('b'));
    expect(sirenState(state)).toBe('silenced');
  });

  it('does nothing when silenced with nothing sounding', () => {
    expect(sirenState(after(unlocked, silence, fault('a')))).toBe('sounding');
  });
});
