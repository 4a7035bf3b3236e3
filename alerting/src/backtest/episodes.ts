import type { Level } from '@smart-fire/core';
import type { Effect, RaiseEffect } from '../rules/effect.ts';
import type { Sentence } from '../rules/kinds/kind.ts';

/** An alarm that the rule would have raised. Times are ms UTC. */
export interface BacktestEpisode {
  from: number;
  /** null = still there at the end. */
  to: number | null;
  /** The gravest it came to; null for rules without levels. */
  level: Level | null;
  /** When it came to level fire. */
  fireAt: number | null;
  device: string;
  sentence: Sentence;
}

/** Episodes kept one by one; further ones are counted. */
const KEPT = 1000;

/** The alarms of a run, made from the engine's effects as they come. */
export class Episodes {
  readonly kept: BacktestEpisode[] = [];
  count = 0;
  /** ms with at least one alarm, without the one going on. */
  inAlarm = 0;
  readonly #open = new Map<string, BacktestEpisode>();
  #since = NaN;

  take(effect: Effect, time: number): void {
    if (effect.type === 'raise') this.#raise(effect, time);
    else this.#clear(effect.cause, time);
  }

  get alarm(): boolean {
    return this.#open.size > 0;
  }

  get level(): Level | null {
    let level: Level | null = null;
    for (const episode of this.#open.values()) if (episode.level === 'fire' || level === null) level = episode.level;
    return level;
  }

  /** What came before `time` is forgotten; alarms that are there begin now. */
  begin(time: number): void {
    this.kept.length = this.count = this.inAlarm = 0;
    if (this.alarm) this.#since = time;
    for (const episode of this.#open.values()) {
      episode.from = time;
      if (episode.fireAt !== null) episode.fireAt = time;
      this.#keep(episode);
    }
  }

  /** ms in alarm until `time`. */
  timeInAlarm(time: number): number {
    return this.inAlarm + (this.alarm ? Math.max(0, time - this.#since) : 0);
  }

  #raise({ cause, level, device, explanation }: RaiseEffect, time: number): void {
    const known = this.#open.get(cause);
    if (known) {
      if (level === 'fire' && known.level !== 'fire') {
        known.level = level;
        known.fireAt = time;
        known.sentence = explanation;
      }
      return;
    }
    if (!this.alarm) this.#since = time;
    const fireAt = level === 'fire' ? time : null;
    const episode: BacktestEpisode = { from: time, to: null, level, fireAt, device, sentence: explanation };
    this.#open.set(cause, episode);
    this.#keep(episode);
  }

  #clear(cause: string, time: number): void {
    const episode = this.#open.get(cause);
    if (!episode) return;
    episode.to = time;
    this.#open.delete(cause);
    if (!this.alarm) this.inAlarm += Math.max(0, time - this.#since);
  }

  #keep(episode: BacktestEpisode): void {
    this.count++;
    if (this.kept.length < KEPT) this.kept.push(episode);
  }
}
