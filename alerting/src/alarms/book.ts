import {
  type Act,
  ALARM_CLASSES,
  type Alarm,
  type AlarmBook,
  type AlarmEntry,
  type AlarmQuery,
  type Clock,
  FireError,
  type Refusal,
  type Timer,
} from '@smart-fire/core';
import type { Logger } from '@smart-fire/core/node';
import type { Durable } from '../durable.ts';
import type { Effect } from '../rules/effect.ts';
import { type Followed, follow } from './follow.ts';
import { type AlarmAction, step } from './lifecycle.ts';
import type { AlarmRepository } from './repository.ts';

/** Changes of one transaction; effects of one journal entry are never parted, so more when an entry has more. */
const CHUNK = 500;
/** After a save; what comes meanwhile is saved together. A crash loses none of it: the journal brings it back. */
const GATHER_MS = 250;
const RETRY_MS = { first: 250, most: 2000 };

interface Pending extends Followed {
  effect: Effect;
}

type Action = AlarmEntry['action'];

/**
 * The alarm book. What the engine says is true at once, in memory and to all listeners, and saved in order when what led to it is in the
 * journal; what a person does is saved first. Both go through one queue, so the store sees one history.
 */
export class Book implements AlarmBook {
  readonly #repository: AlarmRepository;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #durable: Durable;
  readonly #byCause = new Map<string, Alarm>();
  readonly #byId = new Map<string, Alarm>();
  readonly #listeners = new Set<(alarm: Alarm, action: Action) => void>();
  /** Not saved yet, in order. */
  #pending: Pending[] = [];
  /** Number of the last one saved. */
  #applied = 0;
  /** Unclosed alarms that were announced as not saved, with what happened to them last. */
  readonly #unsaved = new Map<string, Action>();
  #tail: Promise<unknown> = Promise.resolve();
  #flushing = false;
  #rest: Timer | null = null;
  #away: { since: number; error: unknown } | null = null;
  #retry: Timer | null = null;
  #retryMs = RETRY_MS.first;

  constructor(deps: { repository: AlarmRepository; durable: Durable; clock: Clock; log: Logger }) {
    this.#durable = deps.durable;
    this.#repository = deps.repository;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** The unclosed alarms of the store; before anything else. */
  async load(): Promise<void> {
    for (const alarm of await this.#repository.unclosed()) this.#put(alarm);
  }

  /** Takes an effect of the engine: at once for everybody, saved soon. */
  absorb(effect: Effect): void {
    const followed = follow(this.#byCause.get(effect.cause), effect, this.#away === null);
    if (!followed) return;
    this.#pending.push({ ...followed, effect });
    this.#put(followed.alarm);
    if (this.#away) this.#unsaved.set(followed.alarm.id, followed.entry.action);
    this.#announce(followed.alarm, followed.entry.action);
    if (!this.#flushing && !this.#rest && !this.#retry) this.#flushSoon();
  }

  /**
   * What the refused led to stays: it was reported, and nobody may lose sight of it. It waits for the last entry before it that is kept,
   * which is the entry itself or has nothing to do with it.
   */
  refused({ no, kept }: Refusal): void {
    let before = 0;
    this.#pending = this.#pending.map((one) => {
      if (one.effect.no < no) return one;
      // Both ascend.
      while (before < kept.length && kept[before]! <= one.effect.no) before++;
      return { ...one, effect: { ...one.effect, no: no - 1 + before } };
    });
  }

  /** All that entries up to this number led to is saved; Infinity when nothing waits. */
  get applied(): number {
    // What refused entries led to waits under a number that may have been saved before.
    return Math.max(this.#applied, (this.#pending[0]?.effect.no ?? Infinity) - 1);
  }

  /**
   * Runs `work` when all that entries below `no` led to is saved, and before anything more is. It does not wait for what comes later: in a
   * flood there always is more. `work` starts in the same turn as that is known.
   */
  whenSaved<T>(no: number, work: () => Promise<T>): Promise<T> {
    return this.#whenSaved(({ effect }) => effect.no < no, work);
  }

  #whenSaved<T>(waitsFor: (change: Pending) => boolean, work: () => Promise<T>): Promise<T> {
    return this.#exclusive(async () => {
      while (this.#pending.some(waitsFor)) await this.#flush();
      return work();
    });
  }

  /** Number of changes not saved yet, since when the store is away, and what it said. */
  status(): { unsaved: number; awaySince: number | null; error: unknown } {
    return { unsaved: this.#pending.length, awaySince: this.#away?.since ?? null, error: this.#away?.error };
  }

  stop(): void {
    this.#retry?.cancel();
    this.#rest?.cancel();
    this.#retry = this.#rest = null;
  }

  causes(): Iterable<Alarm> {
    return this.#byCause.values();
  }

  unclosed(): Alarm[] {
    const rank = (alarm: Alarm) => (alarm.level === 'fire' ? 0 : ALARM_CLASSES.indexOf(alarm.class));
    return [...this.#byId.values()].sort(
      (a, b) => rank(a) - rank(b) || b.raisedAt - a.raisedAt || (a.id < b.id ? 1 : -1),
    );
  }

  async get(id: string): Promise<Alarm | null> {
    return (
      this.#byId.get(id) ??
      this.#pending.findLast(({ alarm }) => alarm.id === id)?.alarm ??
      (await this.#repository.get(id))
    );
  }

  async list(query: AlarmQuery): Promise<Alarm[]> {
    await this.#settle();
    return this.#repository.list(query);
  }

  async timeline(id: string): Promise<AlarmEntry[]> {
    await this.#settle();
    return this.#repository.timeline(id);
  }

  acknowledge(id: string, act: Act & { reason: string }): Promise<Alarm> {
    const { reason } = act;
    return this.#act(id, act, 'acknowledged', { type: 'acknowledge', ...this.#by(act), reason }, { reason });
  }

  verify(id: string, act: Act & { verdict: NonNullable<Alarm['verdict']>; note: string }): Promise<Alarm> {
    const { verdict, note } = act;
    return this.#act(id, act, 'verified', { type: 'verify', ...this.#by(act), verdict }, { verdict, note });
  }

  close(id: string, act: Act & { note: string }): Promise<Alarm> {
    return this.#act(id, act, 'closed', { type: 'close', ...this.#by(act) }, { note: act.note });
  }

  onChange(listener: (alarm: Alarm, action: Action) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #by(act: Act): { at: number; by: string } {
    return { at: this.#clock.now(), by: act.actor.name };
  }

  #act(id: string, { actor, version }: Act, done: Action, action: AlarmAction, detail: Record<string, unknown>) {
    // Of its own alarm everything is saved before, so that the store gets its versions in order.
    return this.#whenSaved(
      ({ alarm }) => alarm.id === id,
      async () => {
        const alarm = this.#byId.get(id);
        if (!alarm) {
          const closed = await this.#repository.get(id);
          throw closed ? new FireError('FIRE_ALARM_CLOSED') : new FireError('FIRE_NOT_FOUND', { what: `alarm ${id}` });
        }
        if (version !== undefined && version !== alarm.version) {
          const by = alarm.acknowledgedBy ? `, ${alarm.acknowledgedBy}` : '';
          throw new FireError('FIRE_ALARM_CHANGED', { version: alarm.version, by });
        }
        const next = step(alarm, action);
        if (typeof next === 'string') throw new FireError(next);
        const closed = next.state === 'closed' && done !== 'closed' ? { closed: true } : {};
        const entry: AlarmEntry = {
          alarm: id,
          version: next.version,
          at: action.at,
          action: done,
          actor: actor.name,
          detail: { person: actor.id, ...detail, ...closed },
        };
        await this.#repository.save([{ alarm: next, entry }], null, {
          actor: actor.id,
          action: `alarm.${action.type}`,
          subject: `alarm:${id}`,
          detail: { version: next.version, cause: next.cause, ...detail, ...closed },
        });
        this.#put(next);
        this.#announce(next, done);
        this.#rebase(next);
        return next;
      },
    );
  }

  /** Effects that came while an act was being saved happened after it. */
  #rebase(acted: Alarm): void {
    let current = acted;
    this.#pending = this.#pending.flatMap((change) => {
      if (change.effect.cause !== acted.cause) return [change];
      const followed = follow(current, change.effect, this.#away === null);
      if (!followed) return [];
      current = followed.alarm;
      this.#put(current);
      this.#announce(current, followed.entry.action);
      return [{ ...followed, effect: change.effect }];
    });
  }

  #put(alarm: Alarm): void {
    const before = this.#byCause.get(alarm.cause);
    if (before && before.id !== alarm.id) this.#byId.delete(before.id);
    if (alarm.state === 'closed') {
      this.#byCause.delete(alarm.cause);
      this.#byId.delete(alarm.id);
    } else {
      this.#byCause.set(alarm.cause, alarm);
      this.#byId.set(alarm.id, alarm);
    }
  }

  #announce(alarm: Alarm, action: Action): void {
    for (const listener of this.#listeners) {
      try {
        listener(alarm, action);
      } catch (error) {
        // Nobody who listens may keep an alarm from the others.
        this.#log.error({ err: error, alarm: alarm.id }, 'a listener of the alarm book failed');
      }
    }
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /** Lets what is on its way to the store arrive, so that a list has it; a store that cannot write may still be read. */
  async #settle(): Promise<void> {
    if (this.#pending.length > 0 && !this.#away) await this.#saveThese().catch(() => undefined);
  }

  /** Saves what is pending now. */
  #saveThese(): Promise<void> {
    const last = this.#pending.at(-1)?.effect.no ?? 0;
    return this.whenSaved(last + 1, async () => undefined);
  }

  #flushSoon(): void {
    this.#flushing = true;
    this.#saveThese()
      .then(() => {
        this.#rest = this.#clock.setTimeout(() => {
          this.#rest = null;
          if (this.#pending.length > 0 && !this.#retry) this.#flushSoon();
        }, GATHER_MS);
      })
      .catch(() => {
        // Logged, shown and tried again by `#flush` itself.
      })
      .finally(() => {
        this.#flushing = false;
      });
  }

  /** Saves the first chunk; only inside `#exclusive`. */
  async #flush(): Promise<void> {
    let chunk: Pending[];
    try {
      await this.#durable.until(() => (this.#pending[0]?.effect.no ?? -1) + 1);
      chunk = this.#chunk();
      await this.#repository.save(chunk, chunk.at(-1)!.effect.no);
    } catch (error) {
      this.#lost(error);
      throw error instanceof FireError ? error : new FireError('FIRE_STATE_UNAVAILABLE', {}, error);
    }
    this.#pending.splice(0, chunk.length);
    this.#applied = chunk.at(-1)!.effect.no;
    this.#found(chunk);
  }

  /** What is saved next; what led to it is on disk. */
  #chunk(): Pending[] {
    const { next } = this.#durable;
    const no = (index: number) => this.#pending[index]?.effect.no ?? Infinity;
    let size = 1;
    while (no(size) < next && (size < CHUNK || no(size) === no(size - 1))) size++;
    return this.#pending.slice(0, size);
  }

  #lost(error: unknown): void {
    if (!this.#away) {
      this.#away = { since: this.#clock.now(), error };
      this.#log.error({ err: error, changes: this.#pending.length }, 'alarms cannot be saved, trying again');
      for (const { alarm, entry } of this.#pending) this.#mark(alarm.id, false, entry.action);
    }
    this.#away.error = error;
    if (this.#retry) return;
    this.#retry = this.#clock.setTimeout(() => {
      this.#retry = null;
      this.#flushSoon();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
  }

  #found(chunk: readonly Pending[]): void {
    if (this.#away) this.#log.info('alarms are saved again');
    this.#away = null;
    this.#retryMs = RETRY_MS.first;
    if (this.#unsaved.size === 0) return;
    const waiting = new Set(this.#pending.map(({ alarm }) => alarm.id));
    for (const { alarm } of chunk) {
      const action = this.#unsaved.get(alarm.id);
      if (action !== undefined && !waiting.has(alarm.id)) this.#mark(alarm.id, true, action);
    }
  }

  /** Saved or not is no change of the alarm itself: its version stays. */
  #mark(id: string, saved: boolean, action: Action): void {
    if (saved) this.#unsaved.delete(id);
    else this.#unsaved.set(id, action);
    const alarm = this.#byId.get(id);
    if (!alarm || alarm.saved === saved) return;
    const marked = { ...alarm, saved };
    this.#put(marked);
    this.#announce(marked, action);
  }
}
