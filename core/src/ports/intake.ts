/** One PUBLISH of an authorised publisher, as the broker hands it to ingest; the object may be used again for the next one. */
export interface InboundMessage {
  /** The device the topic names. */
  device: string;
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

/**
 * The durable entry. `done(null)` is called when everything of the message (values, events, dead letters, marks) has been committed;
 * `done(error)` when it could not be: then no PUBACK may be sent and the connection is closed.
 * Calls of one connection are answered in call order.
 */
export interface Intake {
  accept(message: InboundMessage, done: (error: Error | null) => void): void;
  /** What the broker saw of a device's connection. */
  presence(device: string, online: boolean, reason: string): void;
  /** A message that was refused before it could be decoded (foreign topic, oversize…): counted and, where the device is known, kept. */
  refuse(device: string | null, topic: string, reason: string): void;
  /** False while commits fail or take over 5 s: CONNECT is answered with code 3. */
  readonly accepting: boolean;
}
