import type { Clock, InboundMessage, Intake, Registry } from '@smart-fire/core';
import type { AedesOptions, Client, PublishPacket } from 'aedes';
import { connectionOf } from './connection.ts';
import { type Hold, NOBODY } from './hold.ts';
import type { Interest } from './interest.ts';
import type { Persistence } from './persistence/persistence.ts';
import type { Publishes } from './publishes.ts';
import type { Refusals } from './refusals.ts';
import { filterMatches, type Rights, userOf } from './rights.ts';

type Hooks = Required<Pick<AedesOptions, 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward'>>;
type Target = NonNullable<Exclude<ReturnType<Rights['publish']>, 'ordinary'>>;

/** Filters of one client: a gateway's children, with room. */
const FILTERS_MAX = 2000;

export interface AuthorizeDeps {
  rights: Rights;
  registry: Registry;
  intake: Intake;
  hold: Hold;
  interest: Interest;
  refusals: Refusals;
  persistence: Persistence;
  publishes: Publishes;
  clock: Clock;
  /** Hands a message to subscribers and the retained store without its publisher, who has gone. */
  forward(packet: PublishPacket): void;
}

/**
 * The rights and the durable hold, as Aedes' hooks. Aedes acknowledges a PUBLISH before it stores or routes it, so the one place
 * to hold the acknowledgement is before `authorizePublish` answers.
 */
export function createAuthorize(deps: AuthorizeDeps): Hooks & { isSilent(packet: object): boolean } {
  const { rights, registry, intake, hold, interest, refusals, persistence, publishes, clock, forward } = deps;
  /** Packets that Aedes shall not publish: nobody wants them, or their author has lost the right. */
  const silent = new WeakSet<object>();

  const message = (packet: PublishPacket, { device, channel }: Target): InboundMessage => {
    const bytes = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload);
    const { topic, qos, dup, messageId = 0 } = packet;
    return {
      device,
      memo: null,
      channel,
      topic,
      bytes,
      from: 0,
      to: bytes.length,
      qos,
      dup,
      packetId: messageId,
      receivedAt: clock.now(),
    };
  };

  /** Only a state is worth retaining: a retained reading or event would be news to every new subscriber. */
  const prepare = (packet: PublishPacket, target: Target): void => {
    if (target.channel !== 'state') packet.retain = false;
    if (!packet.retain && !interest.in(target.device)) silent.add(packet);
    publishes[target.channel]++;
  };

  /**
   * A will never errors: Aedes would emit `error` for the whole broker. Its topic was judged at CONNECT; a right lost since
   * makes it silent, and so does an end that says nothing about the device. `client` is closed, or null for a broker that died.
   */
  const will = (client: Client | null, packet: PublishPacket, done: () => void): void => {
    const owner = client?.id ?? (packet as { clientId?: string }).clientId ?? '';
    const target = rights.publish(userOf(owner), packet.topic);
    const reason = client && connectionOf(client).endReason;
    if (target === 'ordinary') done();
    else if (!target || reason === 'stopped' || reason === 'taken-over') {
      silent.add(packet);
      done();
    } else {
      prepare(packet, target);
      intake.accept({ ...message(packet, target), dup: false, packetId: 0 }, { settled: () => done() });
    }
  };

  const authorizePublish: Hooks['authorizePublish'] = (client, packet, answer) => {
    // A will has no command; its owner's id is on it when the broker that knew it is gone.
    if ((packet.cmd as string | undefined) !== 'publish' || !client) return will(client, packet, () => answer(null));
    const connection = connectionOf(client);
    const done = (error: Error | null): void => {
      answer(error);
      connection.dealt();
    };
    const user = connection.user!;
    const { remote, device } = connection;
    const target = rights.publish(user, packet.topic);
    if (!target) {
      refusals.message({ reason: 'foreign-topic', device: device?.id ?? null, remote, topic: packet.topic });
      connection.cut('refused');
      return done(new Error('topic not allowed'));
    }
    const release = (error: Error | null): void => {
      if (!client.closed) done(error);
      // Committed, but the publisher did not wait: nobody to acknowledge to, others may still want it.
      else if (!error && target !== 'ordinary' && !silent.has(packet)) forward(packet);
    };
    if (target === 'ordinary') return hold.queue(connection, release);
    // The first one with this identifier was committed before its PUBREC [MQTT-4.3.3-2].
    if (packet.qos === 2 && persistence.hasIncoming(client.id, packet.messageId!))
      return hold.queue(connection, release);
    if (registry.devices.get(target.device)?.disabled) {
      // Its gateway is not to blame: acknowledged, and dropped where the owner can see it.
      silent.add(packet);
      refusals.message({ reason: 'disabled', device: target.device, remote, topic: packet.topic });
      return hold.queue(connection, release);
    }
    prepare(packet, target);
    if (packet.qos > 0) return hold.commit(connection, message(packet, target), release);
    // Nobody waits for a QoS 0 message, so nothing would push back: without commits only events are still handed in.
    if (!intake.accepting && target.channel !== 'event') {
      silent.add(packet);
      refusals.note({ reason: 'not-accepting', device: target.device, remote, topic: packet.topic });
    } else intake.accept(message(packet, target), NOBODY);
    done(null);
  };

  const authorizeSubscribe: Hooks['authorizeSubscribe'] = (client, subscription, done) => {
    const connection = connectionOf(client);
    const { topic } = subscription;
    const filters = (client as unknown as { subscriptions: Record<string, unknown> }).subscriptions;
    if (rights.subscribe(connection.user!, topic) && Object.keys(filters).length < FILTERS_MAX) {
      interest.add(client.id, topic);
      return done(null, subscription);
    }
    const device = connection.device?.id ?? null;
    refusals.note({ reason: 'foreign-filter', device, remote: connection.remote, topic });
    done(null, null);
  };

  const authorizeForward: Hooks['authorizeForward'] = (client, packet) => {
    if (!rights.receive(connectionOf(client).user!, packet.topic)) return null;
    if (packet.qos > 0) packet.qos = Math.min(packet.qos, grantedQos(client, packet.topic)) as 0 | 1 | 2;
    return packet;
  };

  return { authorizePublish, authorizeSubscribe, authorizeForward, isSilent: (packet: object) => silent.has(packet) };
}

/** The most that any of the client's filters matching this topic was granted [MQTT-3.8.4-6]; Aedes looks at equal topics only. */
function grantedQos(client: Client, topic: string): number {
  const { subscriptions } = client as unknown as { subscriptions: Record<string, { qos: number }> };
  let granted = subscriptions[topic]?.qos ?? -1;
  for (const filter in subscriptions)
    if (subscriptions[filter]!.qos > granted && filterMatches(filter, topic)) granted = subscriptions[filter]!.qos;
  // None: a message queued for a filter that has meanwhile been given up.
  return granted < 0 ? 2 : granted;
}
