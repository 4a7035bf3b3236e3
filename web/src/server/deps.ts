import type { IncomingMessage } from 'node:http';
import type {
  AlarmBook,
  BacktestQuery,
  BacktestResult,
  Clock,
  DeviceStatusSource,
  HealthItem,
  Journal,
  LiveRules,
  ReadingsStore,
  Registry,
  RuleBook,
} from '@smart-fire/core';
import type { Config, Logger, MetricsRegistry, StateStore } from '@smart-fire/core/node';
import type { WebSocket } from 'ws';

/** What the web server is given by the composition root. */
export interface WebDeps {
  config: Pick<Config, 'HOST' | 'WEB_PORT' | 'PUBLIC_URL' | 'TLS_CERT' | 'MQTT_MAX_PACKET' | 'TIME_ZONE' | 'MQTT_PORT'>;
  /** PEM; used only where TLS_CERT is configured: browsers refuse a private CA that nobody has installed. */
  tls: { cert: string; key: string } | null;
  state: StateStore;
  registry: Registry;
  book: AlarmBook;
  ruleBook: RuleBook;
  liveRules: LiveRules;
  /** One rule over stored history; FIRE_BACKTEST_TOO_MUCH beyond `most`. */
  backtest: (query: BacktestQuery, most: { days: number; readings: number }) => Promise<BacktestResult>;
  status: DeviceStatusSource;
  readings: Pick<ReadingsStore, 'points' | 'buckets'>;
  journal: Pick<Journal, 'deadLetters'>;
  health: () => HealthItem[];
  /** MQTT over WebSocket, at `/mqtt`. */
  mqttUpgrade: (ws: WebSocket, request: IncomingMessage) => void;
  /** The device's secret has changed, or it was disabled or deleted. */
  disconnectDevice: (device: string) => void;
  clock: Clock;
  log: Logger;
  metrics: MetricsRegistry;
}

/** A transaction of the state store. */
export type Trx = Parameters<Parameters<StateStore['transaction']>[0]>[0];
