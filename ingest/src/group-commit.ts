import {
  type Clock,
  FireError,
  type Journal,
  type JournalBatch,
  type JournalEntry,
  type Refusal,
  type Waiter,
} from '@smart-fire/core';
import { Group } from './group.ts';

type Presence = Omit<Extract<JournalEntry, { type: 'presence' }>, 'no'>;

/** A commit that takes longer than this counts as failing: the publishers are answered, readings are refused. */
export const COMMIT_SLOW_MS = 5000;
/** Most that may wait for the disk, and what events may have beyond it (bytes of payload). */
const WAITING_MAX = 32 * 1024 ** 2;
const WAITING_RESERVE = 4 * 1024 ** 2;
/** Most of one commit, in readings: what is done with it is done in one go. An event or a dead letter costs as much as so many readings. */
const GROUP_MAX = 8000;
const EVENT_COST = 80;

export interface GroupCommitDeps {
  journal: Journal;
  nextNo: number;
  clock: Clock;
  /** See `JournalConsumer`; told in the turn of the event loop that brought it, unless there is more than one turn should have. */
  arrived(batch: JournalBatch): void;
  /** Synchronously after a commit, before those who wait are answered. `startedAt`: our clock when it began. */
  committed(batch: JournalBatch, startedAt: number): void;
  /** Nothing of these groups was kept; called before those who wait are answered. */
  rolledBack(groups: readonly Group[], refusal: Refusal): void;
  /** Once when commits begin to fail. */
  failed(error: Error): void;
  /** A listener or a waiter threw. */
  fault(error: unknown): void;
}

/**
 * Grouped commit: one in flight, the next group gathers meanwhile, so that its size follows the disk's speed by itself, up to a most.
 * What arrives is shown at once, however long the disk takes.
 * While commits fail or take too long telemetry is refused, and only a probe (a tick) is tried until one succeeds. Events are taken and shown
 * all the same and kept for the commit that succeeds; who waits for one gets the error. When the journal has room for events only
 * (FIRE_JOURNAL_FULL) they are committed and answered as ever, those of the refused group included.
 */
export class GroupCommit {
  /** Where the next message goes. */
  group: Group;
  /** Why commits fail now, and since when. */
  failure: { error: Error; since: number } | null = null;
  /** Since when telemetry is refused for want of room. */
  fullSince: number | null = null;
  readonly #deps: GroupCommitDeps;
  readonly #free: Group[] = [];
  /** Groups that have their most, in order, before `group`. */
  #full: Group[] = [];
  #fullBytes = 0;
  #inFlight: { group: Group; batch: JournalBatch; startedAt: number } | null = null;
  /** Everything below this number has been told, as arrived or as committed. */
  #told: number;
  #scheduled = false;
  #open = false;
  /** Refused, to be told at the next tick. */
  #turnedAway: { waiter: Waiter; error: Error }[] = [];
  /** The last that was seen of each device's connection since telemetry is refused, oldest first. */
  #presence = new Map<string, Presence>();
  #idle: (() => void)[] = [];

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps;
    this.group = new Group(deps.nextNo);
    this.#told = deps.nextNo;
  }

  open(): void {
    this.#open = true;
  }

  /** Commits what is gathered and lets nothing in any more. */
  async close(): Promise<void> {
    this.#notePresence();
    this.#open = false;
    this.#flush();
    this.#answerTurnedAway();
    if (this.#inFlight) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  get accepting(): boolean {
    return this.refusal(false, this.#deps.clock.now()) === null;
  }

  /** Since when the commit in flight runs, when it takes too long. */
  slowSince(now: number): number | null {
    const started = this.#inFlight?.startedAt;
    return started !== undefined && now - started > COMMIT_SLOW_MS ? started : null;
  }

  /** Why a message cannot be taken now (`now` is our clock), or null when it can. */
  refusal(essential: boolean, now: number): Error | null {
    if (!this.#open) return new FireError('FIRE_JOURNAL_IO', { reason: 'not open' });
    if (this.waitingBytes > WAITING_MAX + (essential ? WAITING_RESERVE : 0)) return new FireError('FIRE_JOURNAL_SLOW');
    if (essential) return null;
    return this.trouble(now) ?? (this.fullSince === null ? null : this.#fullError());
  }

  /** Why nothing at all can be acknowledged now, or null. */
  trouble(now: number): Error | null {
    if (this.failure) return this.failure.error;
    return this.slowSince(now) === null ? null : new FireError('FIRE_JOURNAL_SLOW');
  }

  /**
   * Lets a publisher know within a tick that its message is refused: an event that it sends right behind comes in before its connection is
   * closed for it, and who connects again at once does so once a second at most.
   */
  turnAway(waiter: Waiter, error: Error): void {
    if (this.#open) this.#turnedAway.push({ waiter, error });
    else this.#answer([waiter], error);
  }

  /** While telemetry is refused connections come and go, and room is short: of each device's the last is kept until that is over. */
  presence(seen: Presence): void {
    if (this.refusal(false, seen.receivedAt) === null) {
      this.group.builder.addEntry(seen);
      this.schedule();
      return;
    }
    this.#presence.delete(seen.device);
    this.#presence.set(seen.device, seen);
  }

  /** To be called after something was added to `group`. What one turn of the event loop brings is committed together. */
  schedule(): void {
    const { builder, letters } = this.group;
    if (builder.readings + (builder.entries + letters.length) * EVENT_COST >= GROUP_MAX) {
      this.#fullBytes += this.group.bytes;
      this.#full.push(this.group);
      this.group = this.#empty();
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#tell();
      // Behind the frames that what was told has led to.
      queueMicrotask(() => {
        if (!this.failure) this.#flush();
      });
    });
  }

  /** Once per TICK_MS: writes the tick, probes a failing journal, answers those who have waited too long and those who were refused. */
  tick(receivedAt: number): void {
    if (!this.#open) return;
    if (!this.#deps.journal.usage().full) this.fullSince = null;
    const deaf = this.refusal(false, receivedAt) !== null;
    if (!deaf) this.#notePresence();
    this.group.builder.addEntry({ type: 'tick', receivedAt, ...(deaf && { deaf }) });
    this.schedule();
    if (this.failure) this.#flush();
    this.#answerTurnedAway();
    if (this.slowSince(receivedAt) === null) return;
    const error = this.trouble(receivedAt)!;
    for (const group of [this.#inFlight!.group, ...this.#full, this.group]) this.#answer(group.takeWaiting(), error);
    this.#countFull();
  }

  /** Bytes of messages and events that are not on their way to the disk yet. */
  get waitingBytes(): number {
    return this.#fullBytes + this.group.bytes;
  }

  #flush(): void {
    if (this.#inFlight) return;
    const group = this.#full.shift() ?? this.group;
    if (group.empty) return;
    if (group !== this.group) this.#fullBytes -= group.bytes;
    const startedAt = this.#deps.clock.now();
    if (!group.durable) {
      this.#answer(group.takeWaiting(), null);
      group.clear(group.end);
      if (group !== this.group) this.#flush();
      return;
    }
    if (group === this.group) this.group = this.#empty();
    const { batch, extras } = group.build();
    this.#inFlight = { group, batch, startedAt };
    this.#deps.journal.commit(batch, extras).then(
      () => this.#succeeded(),
      (error: unknown) => this.#failed(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #succeeded(): void {
    const { group, batch, startedAt } = this.#inFlight!;
    this.#inFlight = null;
    this.failure = null;
    // The disk works on the next group while this one is handed out; one that is not full takes in what this turn brings first.
    if (this.#full.length > 0 || !this.#open) this.#flush();
    else
      setImmediate(() => {
        if (!this.failure) this.#flush();
      });
    this.#guard(() => this.#deps.committed(batch, startedAt));
    this.#told = Math.max(this.#told, group.end);
    this.#tell();
    this.#answer(group.takeWaiting(), null);
    if (this.#free.length < 2) this.#free.push(group);
    this.#settle();
  }

  #failed(error: Error): void {
    const { group, batch } = this.#inFlight!;
    this.#inFlight = null;
    const groups = [group, ...this.#full, this.group];
    const now = this.#deps.clock.now();
    const full = error instanceof FireError && error.code === 'FIRE_JOURNAL_FULL';
    if (full) this.fullSince ??= now;
    const room = full && batch.readings.length > 0;
    if (!this.failure) this.#guard(() => this.#deps.failed(error));
    if (!room) this.failure = { error, since: this.failure?.since ?? now };
    // While commits fail nothing comes that is not kept: the same is tried again.
    if (groups.some(({ refusable }) => refusable)) this.#refuse(groups, room);
    else this.#full.unshift(group);
    for (const one of groups) this.#answer(one.takeWaiting(), error);
    this.#countFull();
    if (room) this.#flush();
    this.#settle();
  }

  /** Lets go of all that is not kept, and numbers what is anew; `room`: there is room for it, so who waits for it goes on waiting. */
  #refuse(groups: readonly Group[], room: boolean): void {
    const no = groups[0]!.builder.firstNo;
    const batches = groups.map(({ builder }) => builder.soFar());
    const kept: number[] = [];
    for (const { entries } of batches) for (const entry of entries) if (entry.no < this.#told) kept.push(entry.no);
    const essentials: Group[] = [];
    for (const one of groups) {
      const of = one.essentials(essentials.at(-1)?.end ?? no);
      if (room) for (const waiter of one.takeEssential()) of.wait(waiter, true, 0, true);
      if (!of.empty || one === this.group) essentials.push(of);
    }
    // A series keeps its index, which others have seen already.
    for (const { newSeries } of batches) for (const row of newSeries) essentials[0]!.builder.addSeries(row);
    this.group = essentials.pop()!;
    this.#full = essentials;
    this.#told = no + kept.length;
    this.#guard(() => this.#deps.rolledBack(groups, { no, batches, kept }));
  }

  /** For what comes behind the group at hand. */
  #empty(): Group {
    const { end } = this.group;
    const free = this.#free.pop();
    free?.clear(end);
    return free ?? new Group(end);
  }

  /** Shows what has come since the last time, of one group a turn: a flood is shown in pieces, too. */
  #tell(): void {
    const gathered = [this.#inFlight?.group, ...this.#full, this.group];
    const group = gathered.find((one) => one !== undefined && one.end > this.#told);
    if (!group) return;
    this.#told = group.end;
    this.#guard(() => this.#deps.arrived(group.builder.soFar()));
    if (this.group.end > this.#told) setImmediate(() => this.#tell());
  }

  #countFull(): void {
    this.#fullBytes = this.#full.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #notePresence(): void {
    const seen = this.#presence;
    this.#presence = new Map();
    for (const one of seen.values()) this.presence(one);
  }

  #answerTurnedAway(): void {
    for (const { waiter, error } of this.#turnedAway.splice(0)) this.#answer([waiter], error);
  }

  #settle(): void {
    if (this.#inFlight) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #answer(waiting: readonly Waiter[], error: Error | null): void {
    for (let i = 0; i < waiting.length; i++) {
      try {
        waiting[i]!.settled(error);
      } catch (fault) {
        this.#deps.fault(fault);
      }
    }
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#deps.fault(error);
    }
  }

  #fullError(): FireError {
    return new FireError('FIRE_JOURNAL_FULL', { max: this.#deps.journal.usage().max });
  }
}
