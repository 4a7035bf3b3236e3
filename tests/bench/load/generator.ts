// The load generator, a process of its own so that its work is not mistaken for the server's.
import { setTimeout as pause } from 'node:timers/promises';
import { deviceTopic } from '@smart-fire/core';
import { createLatencies, publishSize, writePublish } from '@smart-fire/simulators';
import { ALERT_METRIC, READING_METRIC } from '../fleet.ts';
import { monotonic } from '../monotonic.ts';
import { answerCalls } from '../process-call.ts';
import { Publisher } from './publisher.ts';
import { ReadingPacket } from './reading-packet.ts';

export interface LoadOrder {
  port: number;
  tls: boolean;
  /** A connection each: who logs in, and the devices whose readings it publishes in turn. */
  connections: { login: string; secret: string; devices: string[] }[];
  inFlight: number;
}

export interface MeasureOrder {
  /** Messages a second over all connections; null = as fast as acknowledgements come. */
  rate: number | null;
  /** Paced: how many messages a connection sends at once when it is its turn. */
  burst: number;
  /** One in 20 readings crosses a limit and alerts, and one in 20 takes it back. */
  alerts: boolean;
  warmUpMs: number;
  measureMs: number;
}

/** An alerting reading: which device, its `seq`, and when it was written to the socket (`monotonic` ms). */
export interface SentAlert {
  device: string;
  seq: number;
  at: number;
  /** Sent in the warm-up: it counts, its latency does not. */
  warmUp: boolean;
}

export interface Measured {
  /** Acknowledged. */
  perSecond: number;
  sentPerSecond: number;
  /** PUBACK latency, ms. */
  p50: number;
  p99: number;
  /** Share of one core the generator itself used. */
  cpu: number;
  payloadBytes: number;
  alerts: SentAlert[];
}

export type GeneratorFunctions = {
  open(order: LoadOrder): Promise<void>;
  measure(order: MeasureOrder): Promise<Measured>;
  /** Every device declares a fire, as fast as acknowledgements come. Resolves with the number of fires when all are acknowledged. */
  fires(argument: null): Promise<number>;
};

const CYCLE = 20;
const RAISE_AT = 0;
const CLEAR_AT = 10;
/** Battery in %: far enough on either side of the limit and its hysteresis. */
const LOW = 15;
const FULL = 35;
const DRAIN_MS = 10_000;
const CONNECT_AT_ONCE = 100;
const FIRST_SEQ = 1_000_000_000;

interface Sender {
  publisher: Publisher;
  devices: string[];
  readings: ReadingPacket[];
  alerts: ReadingPacket[];
  /** Every reading of a device has a ms of its own. */
  lastTs: Float64Array;
  /** Counts on from another number at each, so that they do not all alert in the same turn. */
  sent: number;
  noise: number;
  /** How many of its devices have declared a fire. */
  fires: number;
}

const senders: Sender[] = [];
let latencies = createLatencies();
let acknowledged = 0;
let sent = 0;
let mode: MeasureOrder | 'fires' | null = null;
let alerts: SentAlert[] = [];
let warm = false;
/** Room for so many before more is sent: a gateway that pipelines sends some at a time, also to a server that acknowledges one by one. */
let chunk = 1;

/** Writes `count` messages of a sender and sends them in one go. */
function send(sender: Sender, count: number, alerted: boolean): void {
  const { publisher, devices, lastTs } = sender;
  const now = Date.now();
  publisher.begin();
  for (let i = 0; i < count; i++) {
    const turn = sender.sent++ % CYCLE;
    const alerting = alerted && (turn === RAISE_AT || turn === CLEAR_AT);
    // Both readings of an alert come from the same device, which changes with every cycle.
    const which = (alerting ? Math.floor((sender.sent - 1) / CYCLE) : sender.sent) % devices.length;
    const ts = Math.max(now, lastTs[which]! + 1);
    lastTs[which] = ts;
    const seq = sent++;
    const packet = alerting ? sender.alerts[which]! : sender.readings[which]!;
    sender.noise = (Math.imul(sender.noise, 1_664_525) + 1_013_904_223) >>> 0;
    const value = alerting ? (turn === RAISE_AT ? LOW : FULL) : 20 + (sender.noise >>> 28);
    const { ring, offset, id } = publisher.next();
    packet.write(ring, offset, id, ts, seq, value);
    publisher.push(packet.size);
    if (alerting && turn === RAISE_AT)
      alerts.push({ device: devices[which]!, seq: FIRST_SEQ + seq, at: monotonic(), warmUp: warm });
  }
  publisher.flush();
}

function sendFires(sender: Sender, count: number): void {
  const { publisher, devices } = sender;
  publisher.begin();
  for (const device of devices.slice(sender.fires, sender.fires + count)) {
    const payload = `{"ts":${Date.now()},"seq":${FIRST_SEQ + sent++},"event":"fire"}`;
    const topic = Buffer.from(deviceTopic(device, 'event'));
    const { ring, offset, id } = publisher.next();
    writePublish(ring, offset, topic, id, payload, false);
    publisher.push(publishSize(topic, payload));
    sender.fires++;
  }
  publisher.flush();
}

function onRoom(sender: Sender): void {
  const { room } = sender.publisher;
  if (mode === null || room < chunk) return;
  if (mode === 'fires') sendFires(sender, room);
  else if (mode.rate === null) send(sender, room, mode.alerts);
}

/** Resolves when everything sent is acknowledged; rejects when a connection broke. */
async function drained(): Promise<void> {
  const deadline = performance.now() + DRAIN_MS;
  while (acknowledged < sent && performance.now() < deadline) await pause(5);
  for (const { publisher } of senders) if (publisher.failed) throw publisher.failed;
  if (acknowledged < sent) throw new Error(`${sent - acknowledged} messages were not acknowledged in ${DRAIN_MS} ms`);
}

async function fires(): Promise<number> {
  mode = 'fires';
  for (const sender of senders) onRoom(sender);
  const total = senders.reduce((sum, { devices }) => sum + devices.length, 0);
  const deadline = performance.now() + DRAIN_MS;
  while (senders.some((sender) => sender.fires < sender.devices.length) && performance.now() < deadline) await pause(5);
  await drained();
  mode = null;
  return total;
}

async function open({ port, tls, connections, inFlight }: LoadOrder): Promise<void> {
  chunk = Math.ceil(inFlight / 4);
  for (const [index, { login, secret, devices }] of connections.entries()) {
    const readings = devices.map((device) => new ReadingPacket(device, READING_METRIC, '0.0'));
    const alerting = devices.map((device) => new ReadingPacket(device, ALERT_METRIC, '00'));
    const publisher = new Publisher({
      ...{ port, tls, login, secret, inFlight, clientId: `${login}-${process.pid}` },
      packetMax: Math.max(...[...readings, ...alerting].map(({ size }) => size)),
      onAck(ms) {
        acknowledged++;
        latencies.add(ms);
      },
      onRoom: () => onRoom(sender),
    });
    const lastTs = new Float64Array(devices.length);
    const sender: Sender = {
      publisher,
      devices,
      readings,
      alerts: alerting,
      lastTs,
      sent: index,
      noise: index + 1,
      fires: 0,
    };
    senders.push(sender);
  }
  for (let first = 0; first < senders.length; first += CONNECT_AT_ONCE)
    await Promise.all(senders.slice(first, first + CONNECT_AT_ONCE).map(({ publisher }) => publisher.open()));
}

/** Hands out what is owed by the clock, connection after connection. What finds no room stays owed. */
function startPacing(rate: number, { burst, alerts: alerted }: MeasureOrder): () => void {
  const began = performance.now();
  const before = sent;
  let turn = 0;
  const timer = setInterval(() => {
    let owed = Math.floor(((performance.now() - began) / 1000) * rate) - (sent - before);
    for (let tried = 0; tried < senders.length && owed >= burst; tried++) {
      const sender = senders[turn++ % senders.length]!;
      const count = Math.min(burst, sender.publisher.room);
      if (count > 0) send(sender, count, alerted);
      owed -= count;
    }
  }, 1);
  return () => clearInterval(timer);
}

async function measure(order: MeasureOrder): Promise<Measured> {
  mode = order;
  alerts = [];
  warm = true;
  const stopPacing = order.rate === null ? null : startPacing(order.rate, order);
  if (!stopPacing) for (const sender of senders) onRoom(sender);
  await pause(order.warmUpMs);
  warm = false;
  latencies = createLatencies();
  const [acknowledgedBefore, sentBefore, began, cpuBefore] = [
    acknowledged,
    sent,
    performance.now(),
    process.cpuUsage(),
  ];
  await pause(order.measureMs);
  const seconds = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const perSecond = (acknowledged - acknowledgedBefore) / seconds;
  const sentPerSecond = (sent - sentBefore) / seconds;
  const { p50, p99 } = latencies.summary();
  stopPacing?.();
  mode = null;
  await drained();
  return {
    ...{ perSecond, sentPerSecond, p50, p99, alerts },
    cpu: (cpu.user + cpu.system) / 1e6 / seconds,
    payloadBytes: senders[0]!.readings[0]!.payloadSize,
  };
}

answerCalls({ open, measure, fires } satisfies GeneratorFunctions);
