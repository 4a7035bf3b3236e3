import type {
  Area,
  Contact,
  HealthItem,
  ImportPlan,
  Maintenance,
  Override,
  RawMessage,
  Role,
  RuleChange,
  RuleDraft,
  Site,
  Verdict,
  Zone,
} from '@smart-fire/core';
import type { ApiClient, Query } from './client.ts';
import type {
  AlarmDetail,
  AlarmRow,
  AuditRow,
  BacktestAnswer,
  BacktestInput,
  DeadLetterRow,
  DeviceRow,
  EffectiveRule,
  History,
  LearnedRange,
  LiveDevice,
  MaintenanceRow,
  Page,
  RuleKindRow,
  RuleRow,
  Session,
  ShadowRow,
  Token,
  User,
  VersionRow,
} from './types.ts';

export interface SiteInput {
  area?: string;
  name: string;
  address: string;
  contacts: Contact[];
}

export interface DeviceInput {
  id?: string;
  kind?: string;
  name?: string;
  site?: string;
  zone?: string | null;
  gateway?: string | null;
  location?: string;
  disabled?: boolean;
}

export interface UserInput {
  username?: string;
  name?: string;
  password?: string;
  role?: Role;
  scope?: string;
  disabled?: boolean;
  validUntil?: number | null;
}

/** Every resource of `/api/v1` the console uses, one line each. */
export function createResources(api: ApiClient) {
  const at = (collection: string, id: string, rest = '') => `${collection}/${encodeURIComponent(id)}${rest}`;

  /** All items of a list that is known to be short (places, rules). */
  async function all<T>(path: string, query: Query = {}): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<T> = await api.get<Page<T>>(path, { ...query, limit: 1000, cursor });
      items.push(...page.items);
      cursor = page.next;
    } while (cursor);
    return items;
  }

  return {
    session: {
      get: () => api.get<Session>('session'),
      create: (username: string, password: string) => api.post<Session>('session', { username, password }),
      remove: () => api.delete<void>('session'),
      changePassword: (current: string, password: string) => api.post<void>('session/password', { current, password }),
    },
    setup: {
      isOpen: async () => (await api.get<{ open: boolean }>('setup')).open,
      administrator: (body: { token: string; username: string; name: string; password: string }) =>
        api.post<Session>('setup', body),
    },
    areas: {
      all: () => all<Area>('areas'),
      create: (body: Omit<Area, 'id' | 'path'>) => api.post<Area>('areas', body),
      change: (id: string, body: Partial<Pick<Area, 'name' | 'code'>>) => api.patch<Area>(at('areas', id), body),
      remove: (id: string) => api.delete<void>(at('areas', id)),
    },
    sites: {
      all: () => all<Site>('sites'),
      get: (id: string) => api.get<Site>(at('sites', id)),
      create: (body: SiteInput) => api.post<Site>('sites', body),
      change: (id: string, body: Omit<SiteInput, 'area'>) => api.patch<Site>(at('sites', id), body),
      remove: (id: string) => api.delete<void>(at('sites', id)),
    },
    zones: {
      all: () => all<Zone>('zones'),
      of: (site: string) => all<Zone>('zones', { site }),
      create: (site: string, name: string) => api.post<Zone>('zones', { site, name }),
      change: (id: string, name: string) => api.patch<Zone>(at('zones', id), { name }),
      remove: (id: string) => api.delete<void>(at('zones', id)),
    },
    devices: {
      list: (query: Query) => api.get<Page<DeviceRow>>('devices', query),
      get: (id: string) => api.get<DeviceRow>(at('devices', id)),
      create: (body: DeviceInput) => api.post<{ device: DeviceRow; secret: string }>('devices', body),
      change: (id: string, body: DeviceInput) => api.patch<DeviceRow>(at('devices', id), body),
      newSecret: (id: string) => api.post<{ secret: string }>(at('devices', id, '/secret')),
      status: (id: string) => api.get<LiveDevice>(at('devices', id, '/status')),
      readings: (id: string, query: Query) => api.get<History>(at('devices', id, '/readings'), query),
      rules: async (id: string) => (await api.get<Page<EffectiveRule>>(at('devices', id, '/rules'))).items,
      learned: (id: string, rule: string) =>
        api.get<{ items: LearnedRange[] | null }>(at('devices', id, `/rules/${encodeURIComponent(rule)}/learned`)),
      forget: (id: string, rule: string) =>
        api.post<void>(at('devices', id, `/rules/${encodeURIComponent(rule)}/reset`)),
      raw: async (id: string) => (await api.get<Page<RawMessage>>(at('devices', id, '/raw-messages'))).items,
    },
    alarms: {
      list: (query: Query) => api.get<Page<AlarmRow>>('alarms', query),
      get: (id: string) => api.get<AlarmDetail>(at('alarms', id)),
      acknowledge: (id: string, body: { reason: string; version: number }) =>
        api.post<AlarmRow>(at('alarms', id, '/acknowledge'), body),
      verify: (id: string, body: { verdict: Verdict; note: string; version: number }) =>
        api.post<AlarmRow>(at('alarms', id, '/verify'), body),
      close: (id: string, body: { note: string; version: number }) =>
        api.post<AlarmRow>(at('alarms', id, '/close'), body),
    },
    rules: {
      all: () => all<RuleRow>('rules'),
      get: (id: string) => api.get<RuleRow>(at('rules', id)),
      kinds: async () => (await api.get<Page<RuleKindRow>>('rule-kinds')).items,
      create: (body: RuleDraft) => api.post<RuleRow>('rules', body),
      change: (id: string, body: RuleChange & { version: number }) => api.patch<RuleRow>(at('rules', id), body),
      /** One of one's own is gone, a preset is as we ship it again. */
      remove: (id: string, version: number) => api.delete<void>(at('rules', id, `?version=${version}`)),
      putOverride: (id: string, body: Omit<Override, 'id'> & { version: number }) =>
        api.post<RuleRow>(at('rules', id, '/overrides'), body),
      removeOverride: (id: string, override: string, version: number) =>
        api.delete<RuleRow>(at('rules', id, `/overrides/${encodeURIComponent(override)}?version=${version}`)),
      versions: (id: string, cursor: string | null) =>
        api.get<Page<VersionRow>>(at('rules', id, '/versions'), { cursor, limit: 20 }),
      shadow: (id: string, cursor: string | null) =>
        api.get<Page<ShadowRow>>(at('rules', id, '/shadow'), { cursor, limit: 20 }),
      backtest: (body: BacktestInput, signal: AbortSignal) => api.post<BacktestAnswer>('rules/backtest', body, signal),
      exportYaml: () => api.text('rules.yaml'),
      importYaml: (text: string, dryRun: boolean) => api.postText<ImportPlan>('rules/import', text, { dryRun }),
    },
    maintenance: {
      all: () => all<MaintenanceRow>('maintenance'),
      announce: (body: Pick<Maintenance, 'scope' | 'from' | 'to' | 'reason'>) =>
        api.post<MaintenanceRow>('maintenance', body),
      end: (id: string) => api.delete<void>(at('maintenance', id)),
      withheld: (id: string, cursor: string | null) =>
        api.get<Page<ShadowRow>>(at('maintenance', id, '/withheld'), { cursor, limit: 20 }),
    },
    deadLetters: (query: Query) => api.get<Page<DeadLetterRow>>('dead-letters', query),
    audit: (query: Query) => api.get<Page<AuditRow>>('audit', query),
    users: {
      all: () => all<User>('users'),
      create: (body: UserInput) => api.post<User>('users', body),
      change: (id: string, body: UserInput) => api.patch<User>(at('users', id), body),
    },
    tokens: {
      all: () => all<Token>('tokens'),
      create: (name: string, expiresAt: number | null) =>
        api.post<{ token: Token; secret: string }>('tokens', { name, ...(expiresAt ? { expiresAt } : {}) }),
      remove: (id: string) => api.delete<void>(at('tokens', id)),
    },
    health: async () => (await api.get<Page<HealthItem>>('health')).items,
  };
}
