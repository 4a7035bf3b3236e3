import type { AddressInfo } from 'node:net';
import type { Service } from '@smart-fire/core';
import { Consoles } from './live/consoles.ts';
import { Feed } from './live/feed.ts';
import { Hub } from './live/hub.ts';
import { createUpgrade } from './live/upgrade.ts';
import { Setup } from './server/access/setup.ts';
import { type App, createApp } from './server/app.ts';
import { createContext } from './server/context.ts';
import type { WebDeps } from './server/deps.ts';

export interface Web extends Service {
  /** The port it listens on. */
  address(): number;
  /** A one-time link to set up the first administrator; null when there is one. Each call makes the link before invalid. */
  setupLink(): Promise<string | null>;
}

/** API, live WebSocket, MQTT over WebSocket and the console, on one port. */
export function createWeb(deps: WebDeps): Web {
  const { config, state, clock, log, metrics } = deps;
  const setup = new Setup(state, clock);
  let running: { app: App; feed: Feed; consoles: Consoles; sockets: { stop(): void } } | null = null;

  const address = (): number => (running?.app.server.address() as AddressInfo | null)?.port ?? 0;

  return {
    async start() {
      const context = await createContext(deps);
      const { credentials } = context;
      const hub = new Hub(clock.now());
      const consoles = new Consoles({
        ...{ hub, clock, log, metrics, holds: (caller) => credentials.holds(caller) },
        feed: { watch: (devices) => feed.watch(devices), unwatch: (devices) => feed.unwatch(devices) },
      });
      const feed = new Feed({ ...context, hub, changed: () => consoles.changed() });
      credentials.onEnd((ended, reason) => consoles.end(ended, reason));

      const app = await createApp(context);
      const sockets = createUpgrade(context, consoles);
      app.server.on('upgrade', sockets.upgrade);
      running = { app, feed, consoles, sockets };
      feed.start();
      consoles.start();
      await app.listen({ host: config.HOST, port: config.WEB_PORT });
    },

    async stop() {
      if (!running) return;
      const { app, feed, consoles, sockets } = running;
      running = null;
      feed.stop();
      consoles.stop();
      sockets.stop();
      await app.close();
    },

    address,

    async setupLink() {
      const token = await setup.token();
      if (token === null) return null;
      const host = ['0.0.0.0', '::'].includes(config.HOST) ? 'localhost' : config.HOST;
      const base = config.PUBLIC_URL ?? `${config.TLS_CERT ? 'https' : 'http'}://${host}:${address()}`;
      return `${base.replace(/\/$/, '')}/setup#${token}`;
    },
  };
}
