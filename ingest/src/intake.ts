import {
  type Clock,
  FLAG,
  type InboundMessage,
  type Intake,
  type JournalBatch,
  type JournalEntry,
  METRIC_NAMES,
  type Waiter,
} from '@smart-fire/core';
import { clockFlag, uniqueTime } from './clocks.ts';
import type { EventItem } from './decode/check.ts';
import { decodeEvent } from './decode/event.ts';
import { textOf } from './decode/payload.ts';
import { Problems } from './decode/problems.ts';
import { PlainTelemetry } from './decode/scan.ts';
import { REFUSALS } from './decode/schema.ts';
import { decodeState } from './decode/state.ts';
import { decodeTelemetry } from './decode/telemetry.ts';
import { isRepeat, markOf } from './dedupe.ts';
import { type DeviceSlot, type Devices, SERIES_PER_DEVICE_MAX } from './devices.ts';
import type { Group } from './group.ts';
import type { GroupCommit } from './group-commit.ts';
import { recognition, standing } from './identity.ts';
import type { LastValues } from './last-values.ts';
import type { IngestMetrics } from './metrics.ts';
import { rangeFlags } from './ranges.ts';
import { type RawMessages, readable } from './raw-messages.ts';
import { REFUSAL_CODES, Refusals } from './refusals.ts';
import type { Status } from './status.ts';

const NOTHING = new Uint8Array(0);

export interface IntakeDeps {
  commit: GroupCommit;
  devices: Devices;
  last: LastValues;
  status: Status;
  raw: RawMessages;
  metrics: IngestMetrics;
  clock: Clock;
}

/** Decodes what the broker hands over, judges it against what is known, and puts it into the group that is committed next. */
export class IngestIntake implements Intake {
  readonly #deps: IntakeDeps;
  readonly #refusals = new Refusals();
  readonly #plain = new PlainTelemetry();
  #problems = new Problems();

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  get accepting(): boolean {
    return this.#deps.commit.accepting;
  }

  accept(message: InboundMessage, waiter: Waiter): void {
    const { commit, raw, devices } = this.#deps;
    const { device, memo, channel, bytes, from, to, receivedAt } = message;
    const known = (memo?.known ?? null) as DeviceSlot | null;
    const slot = known ?? devices.slot(device);
    if (memo && !known) memo.known = slot;
    const essential = channel === 'event';
    const refusal = commit.refusal(essential, receivedAt);
    const outcome = refusal ? 'not-accepted' : this.#take(message, slot, receivedAt);
    slot.raw = raw.add(slot.raw, channel, receivedAt, message.qos, outcome, bytes, from, to);
    if (refusal) {
      this.#deps.metrics.refused.inc({ reason: outcome });
      commit.turnAway(waiter, refusal);
      return;
    }
    commit.group.wait(waiter, essential, to - from, outcome === 'duplicate');
    commit.schedule();
  }

  presence(device: string, online: boolean, reason: string): void {
    const { commit, clock, status } = this.#deps;
    status.presence(device, online);
    commit.presence({ type: 'presence', device, online, reason, receivedAt: clock.now() });
  }

  refuse(device: string | null, topic: string, reason: string): void {
    const { commit, clock, devices, raw, metrics } = this.#deps;
    metrics.refused.inc({ reason });
    if (device === null) return;
    const receivedAt = clock.now();
    const slot = devices.slot(device);
    slot.raw = raw.add(slot.raw, topic, receivedAt, 0, reason, NOTHING, 0, 0);
    const code = REFUSAL_CODES[reason];
    if (!code || !this.#refusals.isFirst(device, reason, receivedAt) || !commit.accepting) return;
    metrics.deadLetters.inc({ code });
    const problems = [{ code, index: null, path: '', detail: REFUSALS[code] }];
    commit.group.letters.push({
      letter: { device, topic, receivedAt, code, problems, payload: '', encoding: 'utf8' },
      essential: false,
    });
    commit.schedule();
  }

  /** The group is durable: what it held is known. */
  committed(batch: JournalBatch): void {
    const { last, status, metrics } = this.#deps;
    last.commit(batch.readings);
    status.consume(batch);
    if (batch.readings.length > 0) metrics.readings.inc(batch.readings.length);
    const events = batch.entries.filter((entry: JournalEntry) => entry.type === 'event').length;
    if (events > 0) metrics.events.inc(events);
  }

  /** Nothing of the groups was kept: forget what they held. */
  rolledBack(groups: readonly Group[]): void {
    const { last } = this.#deps;
    for (const group of groups) {
      last.rollback(group.builder.soFar().readings);
      for (const { slot, hash } of group.marks) slot.marks.remove(hash);
    }
  }

  /** Returns the message's outcome as an installer reads it. */
  #take(message: InboundMessage, slot: DeviceSlot, receivedAt: number): string {
    const { channel } = message;
    let repeat = false;
    let text: string | null = null;
    if (channel === 'telemetry' && this.#plain.read(message.bytes, message.from, message.to))
      repeat = this.#plainTelemetry(message, slot, receivedAt);
    else {
      text = textOf(payloadOf(message));
      if (channel === 'telemetry') repeat = this.#telemetry(message, slot, text, receivedAt);
      else if (channel === 'event') repeat = this.#event(message, slot, text, receivedAt);
      else if (channel === 'state') this.#state(message, text, receivedAt);
    }
    const problems = this.#problems;
    if (problems.count === 0) return repeat ? 'duplicate' : 'accepted';
    this.#problems = new Problems();
    if (repeat) return 'duplicate';
    this.#deadLetter(message, receivedAt, problems);
    return problems.code!;
  }

  /** What `#telemetry` does, for the one object that `#plain` has read. */
  #plainTelemetry(message: InboundMessage, slot: DeviceSlot, receivedAt: number): boolean {
    const { ts, seq, point, count, metrics, values } = this.#plain;
    const ours = ts === null || clockFlag(ts, receivedAt) !== 0;
    const identified = ts !== null || seq !== null;
    if ((ours || slot.telemetryMarked) && this.#isRepeat(message, slot, identified, receivedAt, ours, false)) {
      this.#deps.metrics.duplicates.inc(count);
      return true;
    }
    let kept = 0;
    for (let i = 0; i < count; i++)
      if (this.#reading(slot, ts, point, null, metrics[i]!, values[i]!, receivedAt)) kept++;
    if (kept < count) this.#deps.metrics.duplicates.inc(count - kept);
    return kept < count && kept === 0 && this.#problems.count === 0;
  }

  /** True when all of it was there before. */
  #telemetry(message: InboundMessage, slot: DeviceSlot, text: string | null, receivedAt: number): boolean {
    const items = decodeTelemetry(text, this.#problems);
    let ours = this.#problems.count > 0;
    let identified = false;
    for (const item of items) {
      if (item.ts === null || clockFlag(item.ts, receivedAt) !== 0) ours = true;
      if (item.ts !== null || item.seq !== null) identified = true;
    }
    // A reading under the device's own time is known again by that time; anything else needs a mark.
    if ((ours || slot.telemetryMarked) && this.#isRepeat(message, slot, identified, receivedAt, ours, false)) {
      this.#deps.metrics.duplicates.inc(items.reduce((sum, item) => sum + item.values.length, 0));
      return true;
    }
    let dropped = 0;
    let kept = 0;
    for (const { ts, point, index, metrics, values } of items) {
      for (let i = 0; i < values.length; i++) {
        if (this.#reading(slot, ts, point, index, metrics[i]!, values[i]!, receivedAt)) kept++;
        else dropped++;
      }
    }
    if (dropped > 0) this.#deps.metrics.duplicates.inc(dropped);
    return dropped > 0 && kept === 0 && this.#problems.count === 0;
  }

  /** False when the value was there before. `index` is the item's place in an array, null when it came alone. */
  #reading(
    slot: DeviceSlot,
    ts: number | null,
    point: string,
    index: number | null,
    metric: number,
    value: number,
    receivedAt: number,
  ): boolean {
    const { devices, last, commit } = this.#deps;
    const { builder } = commit.group;
    let series = devices.find(slot, point, metric);
    if (series < 0) {
      const row = devices.create(slot, point, metric);
      if (!row) {
        this.#problems.add('BAD_POINT', index, 'point', `the device has ${SERIES_PER_DEVICE_MAX} series already`);
        return true;
      }
      builder.addSeries(row);
      series = row.index;
      last.reserve(series + 1);
    }
    let flags = clockFlag(ts, receivedAt);
    let time: number;
    if (flags !== 0) {
      time = uniqueTime(receivedAt, last.heldTime[series]!);
      last.hold(series, time, value);
    } else {
      time = ts!;
      switch (standing(time, value, last.heldTime[series]!, last.heldValue[series]!)) {
        case 'same':
          return false;
        case 'conflict':
          this.#problems.add('SAME_TIME', index, `values.${METRIC_NAMES[metric]}`);
          return true;
        case 'late':
          flags |= FLAG.late;
          break;
        default:
          last.hold(series, time, value);
      }
    }
    builder.addReading(series, time, receivedAt, value, flags | rangeFlags(slot.ranges, metric, value));
    return true;
  }

  #event(message: InboundMessage, slot: DeviceSlot, text: string | null, receivedAt: number): boolean {
    const event = decodeEvent(text, this.#problems);
    const identified = event !== null && (event.ts !== null || event.seq !== null);
    if (this.#isRepeat(message, slot, identified, receivedAt, true, true)) {
      this.#deps.metrics.duplicates.inc();
      return true;
    }
    if (event) this.#deps.commit.group.builder.addEntry(entryOf(message.device, event, receivedAt));
    return false;
  }

  #state(message: InboundMessage, text: string | null, receivedAt: number): void {
    const online = decodeState(text, this.#problems);
    if (online === null) return;
    this.#deps.commit.group.builder.addEntry({ type: 'state', device: message.device, online, receivedAt });
  }

  /** Looks the message up among the device's marks, and leaves its own when it is new and `leave` says so. */
  #isRepeat(
    message: InboundMessage,
    slot: DeviceSlot,
    identified: boolean,
    receivedAt: number,
    leave: boolean,
    essential: boolean,
  ): boolean {
    const by = recognition(identified, message.qos);
    const { packetId, bytes, from, to } = message;
    const hash = markOf(essential ? 'event' : 'telemetry', by, packetId, bytes, from, to);
    if (isRepeat(slot.marks, hash, by, message.dup)) return true;
    if (leave && hash !== null) {
      slot.marks.add(hash, receivedAt);
      if (!essential) slot.telemetryMarked = true;
      this.#deps.commit.group.marks.push({ slot, hash, receivedAt, essential });
    }
    return false;
  }

  #deadLetter(message: InboundMessage, receivedAt: number, problems: Problems): void {
    const { commit, metrics } = this.#deps;
    const { device, topic } = message;
    const payload = payloadOf(message);
    const code = problems.code!;
    metrics.deadLetters.inc({ code });
    commit.group.letters.push({
      letter: {
        device,
        topic,
        receivedAt,
        code,
        problems: problems.described(),
        ...readable(payload, textOf(payload)),
      },
      essential: message.channel === 'event',
    });
  }
}

function payloadOf({ bytes, from, to }: InboundMessage): Buffer {
  return bytes.subarray(from, to);
}

function entryOf(device: string, event: EventItem, receivedAt: number) {
  const flags = event.badTs ? FLAG.clock : clockFlag(event.ts, receivedAt);
  return {
    type: 'event' as const,
    device,
    point: event.point,
    event: event.event,
    detail: event.detail,
    time: flags === 0 ? event.ts! : receivedAt,
    deviceTime: event.ts,
    receivedAt,
    flags,
  };
}
