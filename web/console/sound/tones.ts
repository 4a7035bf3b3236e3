import type { AlarmClass } from '@smart-fire/core';

/** A stretch of a tone: from one frequency (Hz) sliding to another over `seconds`; 0 Hz = silence. */
interface Stretch {
  from: number;
  to: number;
  seconds: number;
}

const steady = (hertz: number, seconds: number): Stretch => ({ from: hertz, to: hertz, seconds });
const silence = (seconds: number): Stretch => steady(0, seconds);

/**
 * One period of each class's tone, tellable apart without looking. Fire has the temporal-three pattern of ISO 8201
 * (three 0.5 s pulses, then 1.5 s of silence); the less urgent, the slower and lower.
 */
export const TONES: Record<AlarmClass, Stretch[]> = {
  fire: [
    { from: 800, to: 1100, seconds: 0.5 },
    silence(0.5),
    { from: 800, to: 1100, seconds: 0.5 },
    silence(0.5),
    { from: 800, to: 1100, seconds: 0.5 },
    silence(1.5),
  ],
  'early-warning': [steady(740, 0.25), silence(0.1), steady(740, 0.25), silence(2.4)],
  supervisory: [steady(520, 0.3), silence(0.15), steady(620, 0.3), silence(3.25)],
  fault: [steady(440, 0.4), silence(4.6)],
  disabled: [steady(350, 0.25), silence(7.75)],
};

/** One period as samples in [−1, 1]; a loop of it needs no timer, so it goes on in a background tab. */
export function renderTone(name: AlarmClass, sampleRate: number): Float32Array<ArrayBuffer> {
  const stretches = TONES[name];
  const total = stretches.reduce((sum, { seconds }) => sum + Math.round(seconds * sampleRate), 0);
  const samples = new Float32Array(total);
  // Short ramps at both ends of a pulse: a hard edge clicks.
  const ramp = Math.round(0.008 * sampleRate);
  let at = 0;
  for (const { from, to, seconds } of stretches) {
    const length = Math.round(seconds * sampleRate);
    let phase = 0;
    for (let i = 0; from > 0 && i < length; i++) {
      phase += (2 * Math.PI * (from + ((to - from) * i) / length)) / sampleRate;
      const edge = Math.min(1, i / ramp, (length - i) / ramp);
      // A third harmonic carries through room noise better than a bare sine.
      samples[at + i] = edge * (0.75 * Math.sin(phase) + 0.2 * Math.sin(3 * phase));
    }
    at += length;
  }
  return samples;
}
