import { TopicTree } from './topic-tree.ts';

/** One filter of a session, with the options Aedes restores it with. */
export interface StoredSubscription {
  topic: string;
  qos: number;
  rh?: number;
  rap?: boolean;
  nl?: boolean;
  subscriptionIdentifier?: number;
}

export interface Session {
  client: string;
  filters: Map<string, Omit<StoredSubscription, 'topic'>>;
  /** Our clock when it was last used; its life is counted from here. */
  updatedAt: number;
}

export interface Subscriber {
  clientId: string;
  topic: string;
  qos: number;
  rh: number | undefined;
  rap: boolean | undefined;
  nl: boolean | undefined;
}

/** Who has subscribed to what, for sessions that outlive their connection. QoS 0 filters are restored but never queued for. */
export class Subscriptions {
  readonly sessions = new Map<string, Session>();
  readonly #tree = new TopicTree<Map<string, Subscriber>>();
  /** Client ids by user, the part before the slash. */
  readonly #byUser = new Map<string, Set<string>>();
  #queued = 0;

  add(client: string, subscription: StoredSubscription, now: number): void {
    let session = this.sessions.get(client);
    if (!session) {
      session = { client, filters: new Map(), updatedAt: now };
      this.sessions.set(client, session);
      this.ofUser(client).add(client);
    }
    const { topic, ...options } = subscription;
    this.#unqueue(client, topic);
    session.filters.set(topic, options);
    if (options.qos > 0) {
      const { qos, rh, rap, nl } = options;
      const subscribers = this.#tree.get(topic) ?? new Map<string, Subscriber>();
      subscribers.set(client, { clientId: client, topic, qos, rh, rap, nl });
      this.#tree.set(topic, subscribers);
      this.#queued++;
    }
  }

  remove(client: string, topic: string): void {
    const session = this.sessions.get(client);
    if (!session?.filters.has(topic)) return;
    this.#unqueue(client, topic);
    session.filters.delete(topic);
    if (session.filters.size === 0) this.#drop(client);
  }

  removeAll(client: string): void {
    for (const topic of this.sessions.get(client)?.filters.keys() ?? []) this.#unqueue(client, topic);
    this.#drop(client);
  }

  of(client: string): StoredSubscription[] {
    return [...(this.sessions.get(client)?.filters ?? [])].map(([topic, options]) => ({ topic, ...options }));
  }

  matching(topic: string): Subscriber[] {
    return this.#tree.matchFilters(topic).flatMap((subscribers) => [...subscribers.values()]);
  }

  /** Client ids of the same user's sessions (live set; a new one for a user without any). */
  ofUser(client: string): Set<string> {
    const user = client.split('/', 1)[0]!;
    let clients = this.#byUser.get(user);
    if (!clients) {
      clients = new Set();
      this.#byUser.set(user, clients);
    }
    return clients;
  }

  get queuedFilters(): number {
    return this.#queued;
  }

  #drop(client: string): void {
    if (!this.sessions.delete(client)) return;
    const clients = this.ofUser(client);
    clients.delete(client);
    if (clients.size === 0) this.#byUser.delete(client.split('/', 1)[0]!);
  }

  #unqueue(client: string, topic: string): void {
    const subscribers = this.#tree.get(topic);
    if (!subscribers?.delete(client)) return;
    this.#queued--;
    if (subscribers.size === 0) this.#tree.delete(topic);
  }
}
