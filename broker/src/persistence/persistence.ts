import { Readable } from 'node:stream';
import { type Clock, FireError, type Timer } from '@smart-fire/core';
import type { Logger, StateStore } from '@smart-fire/core/node';
import { Mirror } from './mirror.ts';
import { OutgoingQueues, type QueuedPacket } from './outgoing.ts';
import { decodePacket, encodePacket, queuedCopy, type StoredPacket } from './stored-packet.ts';
import { type Session, type StoredSubscription, type Subscriber, Subscriptions } from './subscriptions.ts';
import { TopicTree } from './topic-tree.ts';

export interface PersistenceDeps {
  state: StateStore;
  clock: Clock;
  log: Logger;
  /** Messages kept for one offline session (MQTT_QUEUE_MAX). */
  queueMax: number;
  /** A session nobody came back to for this long is forgotten (ms). */
  sessionMs: number;
  /** Whether this client may receive what this filter matches: a refused filter is never stored, whatever Aedes asks. */
  allowed: (client: string, filter: string) => boolean;
  /** Nothing of the client's session is left. */
  forgotten: (client: string) => void;
}

/** What a persistence needs to know of the broker it serves. */
interface Host {
  id: string;
  clients?: Record<string, unknown>;
}

interface ClientRef {
  id: string;
}

const HOUR_MS = 3_600_000;
/** Persistent sessions of one user; the one unused for longest gives way. A device needs one. */
const SESSIONS_PER_USER = 8;

/**
 * Sessions, offline queues, retained messages and wills: memory answers, the state store follows a moment later (see Mirror) and
 * fills the memory at start. Nothing rejects because the store is away; only what Aedes reads as "not there" does.
 */
export class Persistence {
  readonly #deps: PersistenceDeps;
  readonly #subscriptions = new Subscriptions();
  readonly #outgoing: OutgoingQueues;
  readonly #incoming = new Map<string, Map<number, StoredPacket>>();
  readonly #retained = new TopicTree<{ packet: StoredPacket; updatedAt: number }>();
  readonly #wills = new Map<string, StoredPacket>();
  readonly #mirror: Mirror;
  #expiry: Timer | null = null;
  #broker: Host = { id: '' };

  constructor(deps: PersistenceDeps) {
    this.#deps = deps;
    this.#outgoing = new OutgoingQueues(deps.queueMax, (item) => this.#queueChanged(item));
    this.#mirror = new Mirror(deps.state, deps.clock, deps.log, {
      mqtt_session: async (trx, clients: string[]) => {
        await trx.deleteFrom('mqtt_session').where('client', 'in', clients).execute();
        const rows = clients.flatMap((client) => {
          const session = this.#subscriptions.sessions.get(client);
          if (!session) return [];
          const subscriptions = JSON.stringify(this.#subscriptions.of(client));
          return [{ client, subscriptions, updated_at: session.updatedAt }];
        });
        if (rows.length > 0) await trx.insertInto('mqtt_session').values(rows).execute();
      },
      mqtt_queue: async (trx, items: QueuedPacket[]) => {
        const ids = items.map((item) => item.id);
        await trx.deleteFrom('mqtt_queue').where('id', 'in', ids).execute();
        const kept = items.filter((item) => !item.gone);
        for (const item of kept) item.stored = true;
        const rows = kept.map(({ id, client, packet, queuedAt }) => ({
          id,
          client,
          message_id: packet.messageId ?? null,
          packet: encodePacket(packet),
          queued_at: queuedAt,
        }));
        if (rows.length > 0) await trx.insertInto('mqtt_queue').values(rows).execute();
      },
      mqtt_retained: async (trx, topics: string[]) => {
        await trx.deleteFrom('mqtt_retained').where('topic', 'in', topics).execute();
        const rows = topics.flatMap((topic) => {
          const kept = this.#retained.get(topic);
          return kept ? [{ topic, packet: encodePacket(kept.packet), updated_at: kept.updatedAt }] : [];
        });
        if (rows.length > 0) await trx.insertInto('mqtt_retained').values(rows).execute();
      },
      mqtt_will: async (trx, clients: string[]) => {
        await trx.deleteFrom('mqtt_will').where('client', 'in', clients).execute();
        const rows = clients.flatMap((client) => {
          const will = this.#wills.get(client);
          return will ? [{ client, packet: encodePacket(will) }] : [];
        });
        if (rows.length > 0) await trx.insertInto('mqtt_will').values(rows).execute();
      },
    });
  }

  /** The broker behind this persistence; the abstract tests of aedes-persistence rename it. */
  get broker(): Host {
    return this.#broker;
  }

  get dropped(): number {
    return this.#outgoing.dropped;
  }

  get failedSince(): number | null {
    return this.#mirror.failedSince;
  }

  /** Fills the memory from the store. Rejects only with FIRE_FORMAT_UNKNOWN. */
  async setup(broker: Host): Promise<void> {
    this.#broker = broker;
    // Rows of a store that cannot be read now must not meet new rows of the same id later.
    this.#outgoing.startAbove(this.#deps.clock.now() * 1000);
    try {
      await this.#load();
    } catch (error) {
      if (error instanceof FireError && error.code === 'FIRE_FORMAT_UNKNOWN') throw error;
      this.#mirror.failed(error as Error);
    }
    this.#expiry = this.#deps.clock.setInterval(() => this.#expire(), HOUR_MS);
    this.#expire();
  }

  async destroy(): Promise<void> {
    this.#expiry?.cancel();
    await this.#mirror.flush();
    this.#mirror.close();
  }

  /** Every stored filter, for who derives something from it. */
  *filters(): Iterable<{ client: string; filter: string }> {
    for (const [client, { filters }] of this.#subscriptions.sessions)
      for (const filter of filters.keys()) yield { client, filter };
  }

  /** Everything kept for a user is dropped: the device was deleted, and another may get its id. */
  forgetUser(user: string): void {
    for (const client of [...this.#subscriptions.ofUser(`${user}/`)]) this.#forget(client);
  }

  // Retained messages

  async storeRetained(packet: StoredPacket): Promise<void> {
    const topic = packet.topic!;
    if (packet.payload!.length === 0) this.#retained.delete(topic);
    else this.#retained.set(topic, { packet: { ...packet }, updatedAt: this.#deps.clock.now() });
    this.#mirror.touch('mqtt_retained', topic);
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter]);
  }

  createRetainedStreamCombi(filters: string[]): Readable {
    return Readable.from(filters.flatMap((filter) => this.#retained.matchTopics(filter).map((kept) => kept.packet)));
  }

  // Sessions

  async addSubscriptions(client: ClientRef, subscriptions: StoredSubscription[]): Promise<void> {
    const now = this.#deps.clock.now();
    if (!this.#subscriptions.sessions.has(client.id)) this.#makeRoom(client.id);
    // Aedes hands over the whole SUBSCRIBE, refused filters included.
    for (const { topic, qos, rh, rap, nl, subscriptionIdentifier } of subscriptions)
      if (this.#deps.allowed(client.id, topic))
        this.#subscriptions.add(
          client.id,
          {
            topic,
            qos,
            ...(rh !== undefined && { rh }),
            ...(rap !== undefined && { rap }),
            ...(nl !== undefined && { nl }),
            ...(subscriptionIdentifier !== undefined && { subscriptionIdentifier }),
          },
          now,
        );
    this.#mirror.touch('mqtt_session', client.id);
  }

  async removeSubscriptions(client: ClientRef, topics: string[]): Promise<void> {
    for (const topic of topics) this.#subscriptions.remove(client.id, topic);
    this.#mirror.touch('mqtt_session', client.id);
  }

  async subscriptionsByClient(client: ClientRef): Promise<StoredSubscription[]> {
    this.#used(client.id);
    return this.#subscriptions.of(client.id);
  }

  async subscriptionsByTopic(topic: string): Promise<Subscriber[]> {
    return this.#subscriptions.matching(topic);
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return { subsCount: this.#subscriptions.queuedFilters, clientsCount: this.#subscriptions.sessions.size };
  }

  /** A CONNECT with clean session: nothing of the former one is left [MQTT-3.1.2-6], its queue included. */
  async cleanSubscriptions(client: ClientRef): Promise<void> {
    if (this.#subscriptions.sessions.has(client.id)) this.#mirror.touch('mqtt_session', client.id);
    this.#subscriptions.removeAll(client.id);
    this.#outgoing.drop(client.id);
    this.#deps.forgotten(client.id);
  }

  getClientList(topic: string): Readable {
    const clients = [...this.#subscriptions.sessions.values()].filter((session) => session.filters.has(topic));
    return Readable.from(clients.map((session) => session.client));
  }

  // Messages on their way to a persistent session

  async outgoingEnqueue(subscriber: { clientId: string }, packet: StoredPacket): Promise<void> {
    this.#outgoing.enqueue(subscriber.clientId, packet, this.#deps.clock.now());
  }

  /** One copy for each client, however many of its filters match. */
  async outgoingEnqueueCombi(
    subscribers: { clientId: string; topic?: string; qos?: number }[],
    packet: StoredPacket,
  ): Promise<void> {
    const granted = new Map<string, number>();
    for (const { clientId, topic, qos = 2 } of subscribers)
      if (topic === undefined || this.#deps.allowed(clientId, topic))
        granted.set(clientId, Math.max(qos, granted.get(clientId) ?? 0));
    const now = this.#deps.clock.now();
    // [MQTT-3.8.4-6] the lesser of what was published and what was granted
    for (const [client, qos] of granted)
      this.#outgoing.enqueue(client, qos < packet.qos! ? { ...packet, qos } : packet, now);
  }

  async outgoingUpdate(client: ClientRef, packet: StoredPacket): Promise<void> {
    this.#outgoing.update(client.id, packet);
  }

  async outgoingClearMessageId(client: ClientRef, packet: StoredPacket): Promise<StoredPacket | undefined> {
    return this.#outgoing.acknowledge(client.id, packet.messageId);
  }

  outgoingStream(client: ClientRef): Readable {
    return Readable.from(this.#outgoing.list(client.id));
  }

  // QoS 2 messages between PUBLISH and PUBREL. In memory only: after a restart the journal tells a repeat from a new message.

  async incomingStorePacket(client: ClientRef, packet: StoredPacket): Promise<void> {
    const packets = this.#incoming.get(client.id) ?? new Map<number, StoredPacket>();
    packets.set(packet.messageId!, { ...queuedCopy(packet), messageId: packet.messageId });
    this.#incoming.set(client.id, packets);
  }

  /** Whether this packet identifier was received and not yet released, so that a PUBLISH with it is a repeat [MQTT-4.3.3-2]. */
  hasIncoming(client: string, messageId: number): boolean {
    return this.#incoming.get(client)?.has(messageId) ?? false;
  }

  async incomingGetPacket(client: ClientRef, packet: StoredPacket): Promise<StoredPacket> {
    const found = this.#incoming.get(client.id)?.get(packet.messageId!);
    if (!found) throw new Error('no such packet');
    return found;
  }

  async incomingDelPacket(client: ClientRef, packet: StoredPacket): Promise<void> {
    if (!this.#incoming.get(client.id)?.delete(packet.messageId!)) throw new Error('no such packet');
  }

  async cleanIncoming(client: ClientRef): Promise<void> {
    this.#incoming.delete(client.id);
  }

  // Wills

  async putWill(client: ClientRef, will: StoredPacket): Promise<void> {
    will.brokerId = this.#broker.id;
    will.clientId = client.id;
    this.#wills.set(client.id, will);
    this.#mirror.touch('mqtt_will', client.id);
  }

  async getWill(client: ClientRef): Promise<StoredPacket | undefined> {
    return this.#wills.get(client.id);
  }

  async delWill(client: ClientRef): Promise<StoredPacket | undefined> {
    const will = this.#wills.get(client.id);
    this.#wills.delete(client.id);
    if (will) this.#mirror.touch('mqtt_will', client.id);
    return will;
  }

  /** Wills of brokers that are gone; never our own, whose clients are connected and publish them by themselves. */
  streamWill(brokers?: Record<string, number>): Readable {
    const gone = [...this.#wills.values()].filter(
      (will) => !brokers || (will.brokerId !== this.#broker.id && brokers[will.brokerId!] === undefined),
    );
    return Readable.from(gone);
  }

  async #load(): Promise<void> {
    const { db } = this.#deps.state;
    for (const row of await db.selectFrom('mqtt_session').selectAll().execute()) {
      for (const subscription of JSON.parse(row.subscriptions) as StoredSubscription[])
        this.#subscriptions.add(row.client, subscription, row.updated_at);
    }
    for (const row of await db.selectFrom('mqtt_queue').selectAll().orderBy('id').execute()) {
      const packet = decodePacket(row.packet, 'mqtt_queue');
      packet.messageId = row.message_id ?? undefined;
      this.#outgoing.restore({
        id: row.id,
        client: row.client,
        packet,
        queuedAt: row.queued_at,
        stored: true,
        gone: false,
      });
    }
    for (const row of await db.selectFrom('mqtt_retained').selectAll().execute())
      this.#retained.set(row.topic, { packet: decodePacket(row.packet, 'mqtt_retained'), updatedAt: row.updated_at });
    for (const row of await db.selectFrom('mqtt_will').selectAll().execute())
      this.#wills.set(row.client, decodePacket(row.packet, 'mqtt_will'));
  }

  #queueChanged(item: QueuedPacket): void {
    // A message acknowledged within the moment never touches the store.
    if (item.gone && !item.stored) this.#mirror.forget('mqtt_queue', item);
    else this.#mirror.touch('mqtt_queue', item);
  }

  #used(client: string): Session | undefined {
    const session = this.#subscriptions.sessions.get(client);
    if (session) {
      session.updatedAt = this.#deps.clock.now();
      this.#mirror.touch('mqtt_session', client);
    }
    return session;
  }

  #makeRoom(client: string): void {
    const clients = this.#subscriptions.ofUser(client);
    if (clients.size < SESSIONS_PER_USER || client.startsWith('/')) return;
    const offline = [...clients].filter((other) => !this.#broker.clients?.[other]);
    const age = (other: string) => this.#subscriptions.sessions.get(other)?.updatedAt ?? 0;
    const oldest = offline.sort((a, b) => age(a) - age(b))[0];
    if (oldest !== undefined) this.#forget(oldest);
  }

  #expire(): void {
    const limit = this.#deps.clock.now() - this.#deps.sessionMs;
    for (const [client, session] of [...this.#subscriptions.sessions]) {
      if (this.#broker.clients?.[client]) this.#used(client);
      else if (session.updatedAt < limit) this.#forget(client);
    }
    // What was queued or half received for a client that has no session any more.
    for (const client of [...this.#outgoing.clients(), ...this.#incoming.keys()])
      if (!this.#subscriptions.sessions.has(client) && !this.#broker.clients?.[client]) this.#forget(client);
  }

  #forget(client: string): void {
    this.#subscriptions.removeAll(client);
    this.#mirror.touch('mqtt_session', client);
    this.#outgoing.drop(client);
    this.#incoming.delete(client);
    this.#deps.forgotten(client);
  }
}
