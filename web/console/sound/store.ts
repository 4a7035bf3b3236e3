import type { Alarm } from '@smart-fire/core';
import { defineStore } from 'pinia';
import { computed, shallowRef, watch } from 'vue';
import { isTopPriority, isUnacknowledged } from '../alarm/order.ts';
import { initialSiren, type SirenEvent, sirenState, soundingClass, stepSiren, type Waiting } from './siren.ts';
import { createSpeaker } from './speaker.ts';

/** The siren of this seat: its chart joined to the loudspeaker. */
export const useSiren = defineStore('siren', () => {
  const siren = shallowRef(initialSiren);
  const state = computed(() => sirenState(siren.value));
  const sounding = computed(() => soundingClass(siren.value));
  const speaker = createSpeaker((allowed) => send({ type: allowed ? 'unlocked' : 'locked' }));

  function send(event: SirenEvent): void {
    siren.value = stepSiren(siren.value, event);
  }

  // Not batched to a frame: a background tab draws none, and must sound all the same.
  watch(sounding, (name) => speaker.play(name), { flush: 'sync' });

  /** Arms the sound at the first click or key press anywhere; browsers allow it no earlier. */
  function listenForGesture(): () => void {
    const events = ['pointerdown', 'keydown'] as const;
    const unlock = () => {
      if (state.value === 'blocked') void speaker.unlock();
    };
    for (const name of events) window.addEventListener(name, unlock, { capture: true });
    // A page that sounded before its reload is often allowed at once.
    void speaker.unlock();
    return () => {
      for (const name of events) window.removeEventListener(name, unlock, { capture: true });
    };
  }

  return {
    state,
    sounding,
    unlock: () => speaker.unlock(),
    silence: () => send({ type: 'silence' }),
    listenForGesture,
    changed: (alarms: ReadonlyMap<string, Alarm | null>) =>
      send({ type: 'changed', alarms: new Map([...alarms].map(([id, alarm]) => [id, alarm && waitingOf(alarm)])) }),
    snapshot(alarms: Iterable<Alarm>) {
      const waiting = new Map<string, Waiting>();
      for (const alarm of alarms) {
        const one = waitingOf(alarm);
        if (one) waiting.set(alarm.id, one);
      }
      send({ type: 'snapshot', waiting });
    },
  };
});

function waitingOf(alarm: Alarm): Waiting | null {
  if (!isUnacknowledged(alarm)) return null;
  return { class: isTopPriority(alarm) ? 'fire' : alarm.class, count: alarm.count };
}
