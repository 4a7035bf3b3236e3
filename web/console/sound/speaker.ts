import type { AlarmClass } from '@smart-fire/core';
import { renderTone } from './tones.ts';

/** The loudspeaker: plays one class's tone in a loop. Browsers refuse to start it before the first click or key press. */
export interface Speaker {
  /** Call from a click or key press. Resolves with whether sound is allowed now. */
  unlock(): Promise<boolean>;
  play(name: AlarmClass | null): void;
}

export function createSpeaker(onAllowed: (allowed: boolean) => void): Speaker {
  let context: AudioContext | null = null;
  let source: AudioBufferSourceNode | null = null;
  let playing: AlarmClass | null = null;
  const buffers = new Map<AlarmClass, AudioBuffer>();

  function open(): AudioContext {
    if (!context) {
      context = new AudioContext();
      context.onstatechange = () => onAllowed(context?.state === 'running');
    }
    return context;
  }

  function buffer(audio: AudioContext, name: AlarmClass): AudioBuffer {
    let made = buffers.get(name);
    if (!made) {
      const samples = renderTone(name, audio.sampleRate);
      made = audio.createBuffer(1, samples.length, audio.sampleRate);
      made.copyToChannel(samples, 0);
      buffers.set(name, made);
    }
    return made;
  }

  return {
    async unlock() {
      const audio = open();
      // Without an output device resume() may never settle; the state change tells when it does.
      await Promise.race([audio.resume(), new Promise((resolve) => setTimeout(resolve, 500))]);
      const allowed = audio.state === 'running';
      onAllowed(allowed);
      return allowed;
    },
    play(name) {
      if (name === playing) return;
      playing = name;
      source?.stop();
      source = null;
      if (!name) return;
      const audio = open();
      source = audio.createBufferSource();
      source.buffer = buffer(audio, name);
      source.loop = true;
      source.connect(audio.destination);
      source.start();
    },
  };
}
