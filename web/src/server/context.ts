import type { HealthItem } from '@smart-fire/core';
import { Credentials } from './access/credentials.ts';
import { LoginThrottle } from './access/login-throttle.ts';
import { Setup } from './access/setup.ts';
import type { WebDeps } from './deps.ts';
import { AlarmViews } from './views/alarm-view.ts';
import { DeviceViews } from './views/device-view.ts';
import { RuleViews } from './views/rule-view.ts';
import { UnclosedByDevice } from './views/unclosed-by-device.ts';

/** What the routes work with: what the server was given, and what it keeps itself. */
export interface Context extends WebDeps {
  credentials: Credentials;
  throttle: LoginThrottle;
  setup: Setup;
  unclosed: UnclosedByDevice;
  devices: DeviceViews;
  alarms: AlarmViews;
  rules: RuleViews;
  /** True where the server itself speaks TLS. */
  secure: boolean;
}

export async function createContext(deps: WebDeps): Promise<Context> {
  const { state, clock, book, registry, status, config } = deps;
  const credentials = new Credentials(state, clock);
  await credentials.load();
  const unclosed = new UnclosedByDevice(book);
  return {
    ...deps,
    credentials,
    throttle: new LoginThrottle(clock),
    setup: new Setup(state, clock),
    unclosed,
    devices: new DeviceViews(registry, status, unclosed),
    alarms: new AlarmViews(registry),
    rules: new RuleViews({ ...deps, credentials }),
    secure: config.TLS_CERT !== undefined && deps.tls !== null,
  };
}

/** 503 only when PUBACKs cannot be given or alarms not raised. */
export function isReady(items: HealthItem[]): boolean {
  return items.every(({ level }) => level !== 'failed');
}
