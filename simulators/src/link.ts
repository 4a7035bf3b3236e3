import type { Clock, Timer } from '@smart-fire/core';
import { deviceTopic } from '@smart-fire/core';
import { connect, type MqttClient } from 'mqtt';

export interface LinkOptions {
  /** mqtt:, mqtts:, ws: or wss: URL of the broker. */
  url: string;
  /** Device id and secret it logs in with. */
  id: string;
  secret: string;
  /** Keep the session at the broker (clean session false). */
  persistent: boolean;
  clock: Clock;
  random: () => number;
  onConnected: () => void;
  /** Log-in refused, connection refused…: the reason, once per failure. */
  onTrouble: (reason: string) => void;
}

/** One MQTT connection of a gateway or a device. */
export interface Link {
  readonly connected: boolean;
  /** Messages not acknowledged yet. */
  readonly waiting: number;
  start(): void;
  /** Kept and sent again until acknowledged. Resolves true when it was (QoS 0: when written), false when it never will be. */
  publish(topic: string, payload: string, options: { qos: 0 | 1; dup?: boolean; retain?: boolean }): Promise<boolean>;
  /** Power lost (the connection breaks without DISCONNECT, so the will is published) and back again. */
  setPower(on: boolean): void;
  /** Says `online: false`, waits for acknowledgements, disconnects. */
  stop(): Promise<void>;
}

/** Backoff after the nth failure in a row (ms): doubles to a minute, with half of it random so that a fleet does not come back as one. */
export function backoff(failures: number, random: () => number): number {
  const ceiling = Math.min(60_000, 500 * 2 ** Math.min(failures, 10));
  return ceiling / 2 + (ceiling / 2) * random();
}

const GOODBYE_MS = 3000;

interface Message {
  topic: string;
  payload: string;
  qos: 0 | 1;
  dup: boolean;
  retain: boolean;
  settle: (acknowledged: boolean) => void;
}

/**
 * Every attempt is a client of its own, and what is not acknowledged yet is kept here: the library's own store of outgoing messages
 * gives a message published right after a reconnect the packet id of a stored one, and then sends neither again.
 */
export function createLink(options: LinkOptions): Link {
  const { clock, id } = options;
  const stateTopic = deviceTopic(id, 'state');
  const offline = JSON.stringify({ online: false });
  /** Unacknowledged, oldest first. */
  const outbox = new Set<Message>();
  let client: MqttClient | null = null;
  let retry: Timer | null = null;
  let failures = 0;
  let powered = true;
  let stopping = false;
  let onEmpty: (() => void) | null = null;

  function open(): void {
    retry = null;
    const opened = connect(options.url, {
      clientId: id,
      username: id,
      password: options.secret,
      clean: !options.persistent,
      // Ours has jitter; the library's own reconnection has none.
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      keepalive: 60,
      will: { topic: stateTopic, payload: Buffer.from(offline), qos: 1, retain: true },
    });
    client = opened;
    opened.on('connect', () => {
      failures = 0;
      opened.publish(stateTopic, JSON.stringify({ online: true }), { qos: 1, retain: true });
      for (const message of outbox) transmit(opened, message);
      options.onConnected();
    });
    opened.on('error', (error) => {
      options.onTrouble(error.message || (error as NodeJS.ErrnoException).code || 'unknown');
      opened.stream?.destroy();
    });
    opened.on('close', () => {
      if (client !== opened || stopping) return;
      client = null;
      opened.end(true);
      if (!powered) return;
      failures += 1;
      retry = clock.setTimeout(open, backoff(failures, options.random));
    });
  }

  function transmit(current: MqttClient, message: Message): void {
    const { topic, payload, qos, dup, retain } = message;
    // [MQTT-3.3.1-1] Whatever goes again goes with DUP; QoS 0 never does.
    message.dup = qos > 0;
    current.publish(topic, payload, { qos, dup, retain }, (error) => {
      if (error && qos > 0) return;
      settle(message, !error);
    });
  }

  function settle(message: Message, acknowledged: boolean): void {
    if (!outbox.delete(message)) return;
    message.settle(acknowledged);
    if (outbox.size === 0) onEmpty?.();
  }

  async function sayGoodbye(current: MqttClient): Promise<void> {
    if (outbox.size > 0)
      await new Promise<void>((resolve) => {
        onEmpty = resolve;
      });
    await current.publishAsync(stateTopic, offline, { qos: 1, retain: true });
    await current.endAsync();
  }

  return {
    get connected() {
      return client?.connected ?? false;
    },
    get waiting() {
      return outbox.size;
    },
    start() {
      if (!client && !retry && powered && !stopping) open();
    },
    publish(topic, payload, { qos, dup = false, retain = false }) {
      if (stopping) return Promise.resolve(false);
      return new Promise((resolve) => {
        const message: Message = { topic, payload, qos, dup, retain, settle: resolve };
        outbox.add(message);
        if (client?.connected) transmit(client, message);
      });
    },
    setPower(on) {
      if (on === powered) return;
      powered = on;
      retry?.cancel();
      retry = null;
      if (on) open();
      else client?.stream?.destroy();
    },
    async stop() {
      if (stopping) return;
      stopping = true;
      retry?.cancel();
      const current = client;
      if (current?.connected) {
        const patience = new Promise<void>((resolve) => {
          const timer = clock.setTimeout(resolve, GOODBYE_MS);
          current.once('close', () => {
            timer.cancel();
            resolve();
          });
        });
        await Promise.race([sayGoodbye(current).catch(() => undefined), patience]);
      }
      await current?.endAsync(true).catch(() => undefined);
      for (const message of outbox) settle(message, false);
    },
  };
}
