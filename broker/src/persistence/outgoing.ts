import { queuedCopy, type StoredPacket } from './stored-packet.ts';

/** One message on its way to a persistent session, until the client has acknowledged it. */
export interface QueuedPacket {
  /** Row id in the state store: ascending in the order of queueing. */
  id: number;
  client: string;
  packet: StoredPacket;
  queuedAt: number;
  /** Whether a row of it may be in the store. */
  stored: boolean;
  /** Acknowledged, dropped or forgotten: its row, if any, goes. */
  gone: boolean;
}

/** Told of every change of an item, for whoever keeps the rows. */
type Changed = (item: QueuedPacket) => void;

/** The queues of persistent sessions, bounded: a full one drops its oldest message. */
export class OutgoingQueues {
  readonly #queues = new Map<string, QueuedPacket[]>();
  readonly #max: number;
  readonly #changed: Changed;
  #nextId = 1;
  dropped = 0;

  constructor(max: number, changed: Changed) {
    this.#max = max;
    this.#changed = changed;
  }

  /** Row ids continue above this one. */
  startAbove(id: number): void {
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  restore(item: QueuedPacket): void {
    this.#of(item.client).push(item);
    this.startAbove(item.id);
  }

  enqueue(client: string, packet: StoredPacket, now: number): void {
    const queue = this.#of(client);
    const item = { id: this.#nextId++, client, packet: queuedCopy(packet), queuedAt: now, stored: false, gone: false };
    queue.push(item);
    this.#changed(item);
    if (queue.length > this.#max) {
      this.#drop(queue.shift()!);
      this.dropped++;
    }
  }

  /** A delivery got its packet identifier, or a PUBREC turned the message into a PUBREL. Nothing happens when it is no longer queued. */
  update(client: string, packet: StoredPacket): void {
    const pubrel = packet.cmd === 'pubrel';
    const found = this.#queues.get(client)?.find(({ packet: queued }) =>
      // Packet identifiers come round again; the broker's own counter tells messages apart.
      pubrel
        ? queued.messageId === packet.messageId
        : queued.brokerId === packet.brokerId && queued.brokerCounter === packet.brokerCounter,
    );
    if (!found) return;
    if (pubrel) found.packet = { cmd: 'pubrel', messageId: packet.messageId };
    else found.packet.messageId = packet.messageId;
    this.#changed(found);
  }

  /**
   * The client has acknowledged this packet identifier. Without an identifier nothing is taken: Aedes also calls this for copies
   * it did not deliver, and the first message waiting is not one of them.
   */
  acknowledge(client: string, messageId: number | undefined): StoredPacket | undefined {
    if (messageId === undefined) return undefined;
    const queue = this.#queues.get(client);
    const at = queue?.findIndex((item) => item.packet.messageId === messageId) ?? -1;
    if (!queue || at < 0) return undefined;
    const [item] = queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(client);
    this.#drop(item!);
    return item!.packet;
  }

  /** A snapshot: what is acknowledged or queued meanwhile does not disturb it. */
  list(client: string): StoredPacket[] {
    return (this.#queues.get(client) ?? []).map((item) => item.packet);
  }

  drop(client: string): void {
    for (const item of this.#queues.get(client) ?? []) this.#drop(item);
    this.#queues.delete(client);
  }

  clients(): Iterable<string> {
    return this.#queues.keys();
  }

  #drop(item: QueuedPacket): void {
    item.gone = true;
    this.#changed(item);
  }

  #of(client: string): QueuedPacket[] {
    let queue = this.#queues.get(client);
    if (!queue) {
      queue = [];
      this.#queues.set(client, queue);
    }
    return queue;
  }
}
