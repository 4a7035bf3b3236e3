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
  /** Messages that wait for a connection. */
  readonly waiting: number;
  start(): void;
  /** Resolves true when acknowledged (QoS 1) or written (QoS 0), false when it never will be. */
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

export function createLink(options: LinkOptions): Link {
  const { clock, id } = options;
  const stateTopic = deviceTopic(id, 'state');
  const offline = JSON.stringify({ online: false });
  let client: MqttClient | null = null;
  let retry: Timer | null = null;
  let failures = 0;
  let powered = true;
  let stopping = false;

  function open(): MqttClient {
    const opened = connect(options.url, {
      clientId: id,
      username: id,
      password: options.secret,
      clean: !options.persistent,
      // Ours has jitter; the library's own reconnection has none.
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      keepalive: 60,
      // Unacknowledged QoS 1 messages are sent again after a reconnect, as MQTT asks.
      queueQoSZero: false,
      will: { topic: stateTopic, payload: Buffer.from(offline), qos: 1, retain: true },
    });
    opened.on('connect', () => {
      failures = 0;
      opened.publish(stateTopic, JSON.stringify({ online: true }), { qos: 1, retain: true });
      options.onConnected();
    });
    opened.on('error', (error) => {
      options.onTrouble(error.message || (error as NodeJS.ErrnoException).code || 'unknown');
      opened.stream?.destroy();
    });
    opened.on('close', () => {
      if (stopping || !powered || retry) return;
      failures += 1;
      retry = clock.setTimeout(
        () => {
          retry = null;
          opened.reconnect();
        },
        backoff(failures, options.random),
      );
    });
    return opened;
  }

  return {
    get connected() {
      return client?.connected ?? false;
    },
    get waiting() {
      return client?.queue.length ?? 0;
    },
    start() {
      client ??= open();
    },
    publish(topic, payload, { qos, dup = false, retain = false }) {
      const current = client;
      if (!current || stopping) return Promise.resolve(false);
      return new Promise((resolve) => {
        current.publish(topic, payload, { qos, dup, retain }, (error) => resolve(!error));
      });
    },
    setPower(on) {
      if (on === powered) return;
      powered = on;
      if (on) client?.reconnect();
      else {
        retry?.cancel();
        retry = null;
        client?.stream?.destroy();
      }
    },
    async stop() {
      if (!client || stopping) return;
      stopping = true;
      retry?.cancel();
      const current = client;
      const patience = new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, GOODBYE_MS);
        current.once('close', () => {
          timer.cancel();
          resolve();
        });
      });
      if (current.connected) {
        const goodbye = current
          .publishAsync(stateTopic, offline, { qos: 1, retain: true })
          .then(() => current.endAsync())
          .catch(() => undefined);
        await Promise.race([goodbye, patience]);
      }
      await current.endAsync(true).catch(() => undefined);
    },
  };
}
