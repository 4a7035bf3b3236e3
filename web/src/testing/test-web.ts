import type { BacktestQuery, HealthItem, LiveRules, Role } from '@smart-fire/core';
import { Registry } from '@smart-fire/core';
import { configSchema, createLog, MetricsRegistry, openState } from '@smart-fire/core/node';
import { FakeClock, MemoryJournal, MemoryReadings } from '@smart-fire/core/testing';
import { createPerson } from '../create-person.ts';
import { provision } from '../provision.ts';
import { createApp } from '../server/app.ts';
import { createContext } from '../server/context.ts';
import type { WebDeps } from '../server/deps.ts';
import { FakeBook } from './fake-book.ts';
import { FakeRuleBook } from './fake-rule-book.ts';
import { FakeStatus } from './fake-status.ts';

export const PASSWORD = 'correct horse battery';

/**
 * What a web server needs, on an empty state store in memory, with two towns: `/c/t1/` with site s1 (zone z1, gateway g1, devices d1
 * and d2 behind g1) and `/c/t2/` with site s2 (device d3).
 */
export async function createTestDeps(clock = new FakeClock()) {
  const state = await openState('sqlite::memory:', { dataDir: '/nowhere', clock });
  const registry = new Registry();
  const contacts = [{ name: '联系人', post: '值班', telephone: '000-0000' }];
  await provision(state, registry, {
    areas: [
      { id: 'c', parent: null, level: 'city', name: '县' },
      { id: 't1', parent: 'c', level: 'town', name: '一镇' },
      { id: 't2', parent: 'c', level: 'town', name: '二镇' },
    ],
    sites: [
      { id: 's1', area: 't1', name: '一厂', address: '一路 1 号', contacts },
      { id: 's2', area: 't2', name: '二厂', address: '二路 2 号', contacts },
    ],
    zones: [
      { id: 'z1', site: 's1', name: '车间' },
      { id: 'z2', site: 's2', name: '仓库' },
    ],
    devices: [
      { id: 'g1', kind: 'gateway', site: 's1' },
      { id: 'd1', kind: 'smoke-detector', site: 's1', zone: 'z1', gateway: 'g1' },
      { id: 'd2', kind: 'heat-detector', site: 's1', gateway: 'g1' },
      { id: 'd3', kind: 'smoke-detector', site: 's2' },
    ],
  });
  const book = new FakeBook(registry);
  const status = new FakeStatus();
  const journal = new MemoryJournal();
  const readings = new MemoryReadings();
  const disconnected: string[] = [];
  const health: HealthItem[] = [];
  const ruleBook = new FakeRuleBook(registry);
  const liveRules: LiveRules = { figures: () => new Map(), learned: () => null, reset: () => undefined };
  const backtests: BacktestQuery[] = [];
  const deps = {
    config: configSchema.parse({ WEB_PORT: 0 }),
    tls: null,
    ...{ state, registry, book, status, readings, journal, clock },
    ruleBook,
    liveRules,
    backtest: async (query) => {
      backtests.push(query);
      return {
        ...{ readings: 0, rows: 0, warmUp: 0, alarms: 0, episodes: [], timeInAlarm: 0 },
        series: [],
        score: [],
        remarks: [{ zh: '学得少', en: 'learns little' }],
      };
    },
    health: () => health,
    mqttUpgrade: (ws) => ws.close(),
    disconnectDevice: (device) => void disconnected.push(device),
    log: createLog('silent'),
    metrics: new MetricsRegistry(),
  } satisfies WebDeps;
  return { deps, ...deps, health, backtests, disconnected, clock };
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  body: any;
  headers: Record<string, unknown>;
  text: string;
}

/** The HTTP server without a port, and people to ask it. */
export async function createTestApp(change: (deps: WebDeps) => WebDeps = (deps) => deps) {
  const parts = await createTestDeps();
  const context = await createContext(change(parts.deps));
  const app = await createApp(context);
  let people = 0;

  const addPerson = (role: Role, scope = '/') =>
    createPerson(parts.state, { username: `${role}${++people}`, name: `某${role}`, role, scope, password: PASSWORD });

  /** Headers of a new person with this role who has logged in. */
  const login = async (role: Role, scope = '/') => {
    const person = await addPerson(role, scope);
    const { value } = await context.credentials.startSession(person, 'test');
    return { cookie: `smartfire=${value}`, 'accept-language': 'en' };
  };

  const ask = async (method: Method, url: string, headers: Record<string, string>, body?: object): Promise<Answer> => {
    const path = /^\/|^http/.test(url) ? url : `/api/v1/${url}`;
    const response = await app.inject({ method, url: path, headers, ...(body ? { payload: body } : {}) });
    const json = String(response.headers['content-type']).includes('json') ? response.json() : undefined;
    return { status: response.statusCode, body: json, headers: response.headers, text: response.body };
  };

  const stop = async () => {
    await app.close();
    await parts.state.close();
  };
  return { ...parts, context, app, addPerson, login, ask, stop };
}

export type TestApp = Awaited<ReturnType<typeof createTestApp>>;
