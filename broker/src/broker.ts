import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:net';
import type { Clock, HealthItem, Intake, Registry, Service, Timer } from '@smart-fire/core';
import { type Config, Gauge, type Logger, type MetricsRegistry, type StateStore } from '@smart-fire/core/node';
import type { WebSocket } from 'ws';
import { Arrivals } from './arrivals.ts';
import { Connection, type Pulse } from './connection.ts';
import { Departures } from './departures.ts';
import { createEngine, type Engine } from './engine.ts';
import { createFastPath } from './fast-path.ts';
import { createGuard } from './guard.ts';
import { createHold } from './hold.ts';
import { Interest } from './interest.ts';
import { Budgets } from './limits.ts';
import { type Accept, acceptWebSocket, close, listen, type TlsFiles, tcpListener, tlsListener } from './listeners.ts';
import { Persistence } from './persistence/persistence.ts';
import { Presence } from './presence.ts';
import { createPublishes } from './publishes.ts';
import { createRefusals } from './refusals.ts';
import { createRights, userOf } from './rights.ts';

export interface BrokerDeps {
  intake: Intake;
  registry: Registry;
  state: StateStore;
  config: Pick<
    Config,
    | 'HOST'
    | 'MQTT_PORT'
    | 'MQTTS_PORT'
    | 'MQTT_MAX_CONNECTIONS'
    | 'MQTT_MAX_PACKET'
    | 'MQTT_DEVICE_RATE'
    | 'MQTT_FAST_PATH'
    | 'MQTT_QUEUE_MAX'
    | 'MQTT_SESSION_DAYS'
  >;
  /** null: no MQTT over TLS. */
  tls: TlsFiles | null;
  clock: Clock;
  log: Logger;
  metrics: MetricsRegistry;
  /** For conformance suites: any user, any topic; all other guards on. */
  open?: boolean;
}

/** The MQTT side of the platform. Readings leave it through the intake only. */
export interface Broker extends Service {
  /** Ports listened on, once started. */
  address(): { mqtt: number; mqtts: number | null };
  acceptWebSocket(ws: WebSocket, request: IncomingMessage): void;
  /** The device's connections are closed at once: its secret has changed, or it is disabled or deleted. */
  disconnect(device: string): void;
  connected(device: string): boolean;
  health(): HealthItem[];
}

const DAY_MS = 86_400_000;
const TIDY_MS = 60_000;

export function createBroker(deps: BrokerDeps): Broker {
  const { intake, registry, state, config, tls, clock, log, metrics, open = false } = deps;
  const pulse: Pulse = { now: 0 };
  const arrivals = new Arrivals();
  const departures = new Departures();
  const refusals = createRefusals({ intake, clock, log, metrics });
  const rights = createRights(registry, open);
  const presence = new Presence(intake);
  const interest = new Interest();
  const budgets = new Budgets({ clock, registry, rate: config.MQTT_DEVICE_RATE });
  const hold = createHold({ intake, pulse, refusals, metrics });
  const persistence = new Persistence({
    state,
    clock,
    log,
    queueMax: config.MQTT_QUEUE_MAX,
    sessionMs: config.MQTT_SESSION_DAYS * DAY_MS,
    allowed: (client, filter) => rights.subscribe(userOf(client), filter),
    forgotten: (client) => interest.forget(client),
  });
  let engine: Engine | null = null;
  let servers: Server[] = [];
  let ports: { mqtt: number; mqtts: number | null } | null = null;
  let tidying: Timer | null = null;
  let startedAt = 0;

  const publishes = createPublishes(metrics);
  const fastPath = createFastPath({ intake, rights, registry, interest, hold, publishes, on: config.MQTT_FAST_PATH });
  const guard = createGuard({
    clock,
    pulse,
    refusals,
    maxPacket: config.MQTT_MAX_PACKET,
    maxConnections: config.MQTT_MAX_CONNECTIONS,
    fastPath,
    opened: (connection) => engine?.handle(connection),
    ended: (connection, reason) => presence.left(connection, reason),
  });

  const accept: Accept = (transport, origin) => {
    if (ports) guard.admit(new Connection(transport, origin, { screen: guard, pulse, clock, arrivals, departures }));
    else transport.stream.destroy();
  };

  new Gauge({
    name: 'smartfire_mqtt_connections',
    help: 'Open connections',
    registers: [metrics],
    collect() {
      this.set(guard.connections.size);
    },
  });
  new Gauge({
    name: 'smartfire_mqtt_queue_dropped',
    help: 'Messages dropped from full queues of offline sessions since start',
    registers: [metrics],
    collect() {
      this.set(persistence.dropped);
    },
  });

  return {
    async start() {
      startedAt = clock.now();
      engine = await createEngine({
        intake,
        registry,
        rights,
        presence,
        interest,
        budgets,
        hold,
        persistence,
        refusals,
        publishes,
        clock,
        log,
        open,
        ready: (connection) => guard.ready(connection),
      });
      guard.start();
      tidying = clock.setInterval(() => {
        refusals.tidy();
        budgets.tidy((user) => presence.connected(user));
      }, TIDY_MS);
      const tcp = tcpListener(accept, config.MQTT_MAX_CONNECTIONS);
      servers = [tcp];
      ports = { mqtt: await listen(tcp, config.MQTT_PORT, config.HOST), mqtts: null };
      if (tls) {
        const secure = tlsListener(accept, tls, config.MQTT_MAX_CONNECTIONS);
        servers.push(secure);
        ports.mqtts = await listen(secure, config.MQTTS_PORT, config.HOST);
      }
    },

    async stop() {
      ports = null;
      const closing = servers.map(close);
      tidying?.cancel();
      guard.stop();
      await engine?.close();
      await Promise.all(closing);
      if (engine) await persistence.destroy();
      engine = null;
    },

    address() {
      if (!ports) throw new Error('the broker is not started');
      return ports;
    },

    acceptWebSocket: (ws, request) => acceptWebSocket(accept, ws, request),

    disconnect(device) {
      for (const connection of presence.of(device)) connection.cut('removed');
      if (!registry.devices.has(device)) persistence.forgetUser(device);
    },

    connected: (device) => presence.connected(device),

    health() {
      const since = persistence.failedSince;
      return [
        {
          part: 'broker',
          level: since === null ? 'ok' : 'degraded',
          since: since ?? startedAt,
          sentence:
            since === null
              ? { zh: 'MQTT 接入正常。', en: 'MQTT is served.' }
              : {
                  zh: '状态库不可用:MQTT 会话、离线队列与保留消息暂存内存,重启会丢失。',
                  en: 'The state store is away: MQTT sessions, offline queues and retained states are in memory only and would not survive a restart.',
                },
          figures: { connections: guard.connections.size, held: hold.count(), dropped: persistence.dropped },
        },
      ];
    },
  };
}
