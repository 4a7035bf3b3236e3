import type { Clock, Disturbance, Timer } from '@smart-fire/core';
import { deviceTopic, FireError } from '@smart-fire/core';
import { getSensorKind, seeded } from '@smart-fire/core/sensors';
import { createAgenda } from './agenda.ts';
import { createLink, type Link } from './link.ts';
import { layOver, type Scenario, type Script } from './scenario.ts';
import { createSimulatedDevice, type SimulatedDevice } from './simulated-device.ts';

export interface FleetDevice {
  id: string;
  kind: string;
  zone: string | null;
  gateway: string | null;
  /** Not needed for a device that its gateway carries. */
  secret: string | null;
}

export interface FleetOptions {
  /** URL of the broker. */
  url: string;
  devices: readonly FleetDevice[];
  /** `gateways`: children speak through their gateway's connection; `each`: everybody has a connection of their own. */
  connections: 'gateways' | 'each';
  /** Simulated seconds per second. Readings carry `ts` at 1 only: faster, device time would run away from the platform's. */
  speed: number;
  scenarios: readonly Scenario[];
  /** Fraction of readings that go by QoS 0 and are lost on the air. */
  drop: number;
  /** Fraction of QoS 1 readings that are delivered twice. */
  redeliver: number;
  persistent: boolean;
  seed: number;
  /** Hours of history each device sends first, as after a long time without a link. */
  historyHours: number;
  clock: Clock;
  /** One sentence about what just happened. */
  say: (sentence: string) => void;
}

interface FleetFigures {
  devices: number;
  connections: number;
  connected: number;
  sent: number;
  acknowledged: number;
  events: number;
  lost: number;
  redelivered: number;
  failed: number;
  reconnects: number;
}

export interface Fleet {
  start(): Promise<void>;
  stop(): Promise<void>;
  figures(): FleetFigures;
}

/** Connections opened per second, and readings of history per message. */
const CONNECTS_PER_SECOND = 250;
const HISTORY_CHUNK = 400;
/** A link that cannot be reached keeps this many messages; then readings (not events) are lost, as in a device's small memory. */
const MEMORY = 1000;
/** After a disturbance a device keeps its quick pace until things have settled (ms, simulated). */
const SETTLE_MS = 15 * 60_000;

interface Member extends FleetDevice {
  model: SimulatedDevice;
  link: Link;
  quickUntil: number;
  offline: boolean;
  historySent: boolean;
}

/** A fleet of simulated devices over MQTT, as real ones would behave. */
export function createFleet(options: FleetOptions): Fleet {
  const { clock, speed } = options;
  const random = seeded(options.seed);
  const figures = { sent: 0, acknowledged: 0, events: 0, lost: 0, redelivered: 0, failed: 0, reconnects: 0 };
  const startedAt = clock.now();
  const now = () => startedAt + (clock.now() - startedAt) * speed;
  const links = new Map<string, Link>();
  const members = new Map<string, Member>();
  const carried = new Map<string, Member[]>();
  const scripts: readonly Script[] = options.scenarios.map((scenario) => layOver(scenario, options.devices));
  const agenda = createAgenda(clock, (member: Member) => report(member));
  const timers: Timer[] = [];
  const troubles = new Set<string>();
  let stopped = false;

  const byId = new Map(options.devices.map((device) => [device.id, device]));
  for (const [index, device] of options.devices.entries()) enlist(device, index);

  function enlist(device: FleetDevice, index: number): void {
    const kind = getSensorKind(device.kind);
    const through = options.connections === 'gateways' && device.gateway ? device.gateway : device.id;
    const carrier = through === device.id ? device : byId.get(through);
    if (!kind || !carrier?.secret)
      throw new FireError('FIRE_CONFIG_INVALID', {
        problems: kind ? `${through}: no secret to log in with` : `${device.id}: no such kind ${device.kind}`,
      });
    const model = createSimulatedDevice(
      kind,
      options.seed * 1_000_003 + index,
      now() - options.historyHours * 3_600_000,
    );
    const link = links.get(through) ?? openLink(through, carrier.secret);
    const member = { ...device, model, link, quickUntil: 0, offline: false, historySent: options.historyHours === 0 };
    members.set(device.id, member);
    carried.set(through, [...(carried.get(through) ?? []), member]);
  }

  function openLink(id: string, secret: string): Link {
    let connectedBefore = false;
    const link = createLink({
      url: options.url,
      id,
      secret,
      persistent: options.persistent,
      clock,
      random,
      onConnected() {
        if (connectedBefore) figures.reconnects += 1;
        else for (const member of carried.get(id)!) begin(member);
        connectedBefore = true;
      },
      onTrouble(reason) {
        // One line per kind of trouble, not one per device.
        if (troubles.size < 100 && !troubles.has(reason)) options.say(`${id}: ${reason}`);
        troubles.add(reason);
      },
    });
    links.set(id, link);
    return link;
  }

  function begin(member: Member): void {
    if (!member.historySent) sendHistory(member);
    agenda.put(member, Math.min(member.model.kind.intervalMs / speed, 5000) * random());
  }

  function sendHistory(member: Member): void {
    member.historySent = true;
    const { model } = member;
    let chunk: object[] = [];
    const flush = () => {
      if (chunk.length > 0) publish(member, 'telemetry', chunk, 1);
      chunk = [];
    };
    for (let time = model.sampledAt; time < now() - model.kind.intervalMs; time += model.kind.intervalMs) {
      chunk.push({ ts: Math.round(time), seq: model.seq++, values: model.sample(time, {}).values });
      if (chunk.length === HISTORY_CHUNK) flush();
    }
    flush();
  }

  function situationOf(id: string, time: number) {
    const disturbance: Disturbance = {};
    let disturbed = false;
    let offline = false;
    for (const script of scripts) {
      const situation = script.situation(id, (time - startedAt) / 1000);
      disturbed ||= situation.disturbed;
      offline ||= situation.offline;
      Object.assign(disturbance, situation.disturbance);
    }
    return { disturbance, disturbed, offline };
  }

  function report(member: Member): void {
    if (stopped) return;
    const time = now();
    const { disturbance, disturbed, offline } = situationOf(member.id, time);
    if (member.offline !== offline) {
      member.offline = offline;
      if (carried.has(member.id)) member.link.setPower(!offline);
    }
    const { kind } = member.model;
    if (disturbed) member.quickUntil = time + SETTLE_MS;
    const pace = time < member.quickUntil ? kind.alertIntervalMs : kind.intervalMs;
    // ±2 % keeps devices from marching in step.
    agenda.put(member, (pace / speed) * (0.98 + 0.04 * random()));
    if (offline) return;
    const { values, event } = member.model.sample(time, disturbance);
    const stamp = speed === 1 ? { ts: Math.round(time) } : {};
    // A verdict goes first: it must not wait behind its reading.
    if (event) declare(member, event.event, event.detail);
    const reading = { ...stamp, seq: member.model.seq++, values };
    if (random() < options.drop || member.link.waiting > MEMORY) figures.lost += 1;
    else {
      publish(member, 'telemetry', reading, 1);
      if (random() < options.redeliver) {
        figures.redelivered += 1;
        publish(member, 'telemetry', reading, 1, true);
      }
    }
  }

  function declare(member: Member, event: string, detail?: string): void {
    const stamp = speed === 1 ? { ts: Math.round(now()) } : {};
    figures.events += 1;
    publish(
      member,
      'event',
      { ...stamp, seq: member.model.seq++, event, ...(detail === undefined ? {} : { detail }) },
      1,
    );
  }

  function publish(member: Member, channel: 'telemetry' | 'event', body: object, qos: 0 | 1, dup = false): void {
    figures.sent += 1;
    void member.link
      .publish(deviceTopic(member.id, channel), JSON.stringify(body), { qos, dup })
      .then((acknowledged) => {
        if (acknowledged) figures.acknowledged += 1;
        else figures.failed += 1;
      });
  }

  /** Devices feel a turn of the script at once, not at their next report. */
  function follow(script: Script): void {
    for (const turn of script.turns)
      timers.push(
        clock.setTimeout(
          () => {
            options.say(turn.sentence);
            for (const id of turn.devices) agenda.put(members.get(id)!, 0);
          },
          turn.at * (1000 / speed),
        ),
      );
    for (const { at, device, event } of script.declarations)
      timers.push(
        clock.setTimeout(
          () => {
            const member = members.get(device)!;
            if (!stopped && !member.offline) declare(member, event);
          },
          at * (1000 / speed),
        ),
      );
  }

  return {
    async start() {
      agenda.start();
      [...links.values()].forEach((link, index) => {
        timers.push(clock.setTimeout(() => link.start(), (index * 1000) / CONNECTS_PER_SECOND));
      });
      for (const script of scripts) follow(script);
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      agenda.stop();
      for (const timer of timers) timer.cancel();
      await Promise.all([...links.values()].map((link) => link.stop()));
    },
    figures: () => ({
      devices: members.size,
      connections: links.size,
      connected: [...links.values()].filter((link) => link.connected).length,
      ...figures,
    }),
  };
}
