/** One PUBLISH of an authorised publisher, as the broker hands it to ingest; the object may be used again for the next one. */
export interface InboundMessage {
  /** The device the topic names. */
  device: string;
  /** Where the intake may keep what it knows of the device: one object for all its messages on a connection. Null: there is none. */
  memo: { known: unknown } | null;
  channel: 'telemetry' | 'event' | 'state' | 'command/reply';
  topic: string;
  /** The payload is bytes[from, to), theirs only until the call returns: what is kept is copied. */
  bytes: Buffer;
  from: number;
  to: number;
  qos: 0 | 1 | 2;
  dup: boolean;
  packetId: number;
  /** Our clock when it was read (ms UTC). */
  receivedAt: number;
}

/** Who waits for a message: told once. An object and not a function, so that a message on its way costs one and not three. */
export interface Waiter {
  /** null: everything of the message (values, events, dead letters, marks) has been committed. */
  settled(error: Error | null): void;
}

/**
 * The durable entry. With an error the message could not be committed: then no PUBACK may be sent and the connection is closed.
 * Messages of one connection that are taken are settled in the order they were handed in; one that is refused is told later.
 */
export interface Intake {
  accept(message: InboundMessage, waiter: Waiter): void;
  /** What the broker saw of a device's connection. */
  presence(device: string, online: boolean, reason: string): void;
  /** A message that was refused before it could be decoded (foreign topic, oversize…): counted and, where the device is known, kept. */
  refuse(device: string | null, topic: string, reason: string): void;
  /** False while readings cannot be taken: commits fail, take over 5 s, or have room for events only. */
  readonly accepting: boolean;
}
