import {
  type Act,
  type Alarm,
  type AlarmBook,
  type AlarmEntry,
  type AlarmQuery,
  FireError,
  type Registry,
} from '@smart-fire/core';

type Action = AlarmEntry['action'];

let count = 0;

export function anAlarm(properties: Partial<Alarm> = {}): Alarm {
  const id = properties.id ?? `alarm-${++count}`;
  return {
    ...{ id, cause: `fire:${id}:`, class: 'fire', state: 'active-unacknowledged' },
    ...{ device: 'd1', point: '', site: 's1', zone: null, rule: null, event: 'fire' },
    ...{ raisedAt: 1000, receivedAt: 1000, repeatedAt: 1000, clearedAt: null, count: 1 },
    ...{ acknowledgedBy: null, acknowledgedAt: null, acknowledgeReason: null },
    ...{ verdict: null, verifiedBy: null, verifiedAt: null, closedBy: null, closedAt: null },
    ...{ level: null, openedNo: 1, explanation: { zh: '火警', en: 'Fire' }, version: 1, saved: true },
    ...properties,
  };
}

/** An alarm book in memory: enough of the port to see what the web server makes of it. */
export class FakeBook implements AlarmBook {
  readonly all = new Map<string, Alarm>();
  readonly acts: { id: string; actor: Act['actor'] }[] = [];
  readonly #listeners = new Set<(alarm: Alarm, action: Action) => void>();
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  put(alarm: Alarm, action: Action = 'raised'): Alarm {
    this.all.set(alarm.id, alarm);
    for (const listener of this.#listeners) listener(alarm, action);
    return alarm;
  }

  unclosed(): Alarm[] {
    return [...this.all.values()].filter(({ state }) => state !== 'closed');
  }

  async get(id: string): Promise<Alarm | null> {
    return this.all.get(id) ?? null;
  }

  async list({ scope, before, limit, classes, states, device }: AlarmQuery): Promise<Alarm[]> {
    return [...this.all.values()]
      .filter((alarm) => (this.#registry.sites.get(alarm.site)?.path ?? '/').startsWith(scope))
      .filter((alarm) => (classes?.includes(alarm.class) ?? true) && (states?.includes(alarm.state) ?? true))
      .filter((alarm) => device === undefined || alarm.device === device)
      .sort((a, b) => b.raisedAt - a.raisedAt || (a.id < b.id ? 1 : -1))
      .filter(
        ({ raisedAt, id }) => !before || raisedAt < before.raisedAt || (raisedAt === before.raisedAt && id < before.id),
      )
      .slice(0, limit);
  }

  async timeline(alarm: string): Promise<AlarmEntry[]> {
    return [{ alarm, version: 1, at: 1000, action: 'raised', actor: null, detail: {} }];
  }

  acknowledge(id: string, { reason, ...act }: Act & { reason: string }) {
    const { name } = act.actor;
    return this.#act(id, act, 'acknowledged', {
      state: 'active-acknowledged',
      acknowledgedBy: name,
      acknowledgeReason: reason,
    });
  }

  verify(id: string, { verdict, ...act }: Parameters<AlarmBook['verify']>[1]) {
    return this.#act(id, act, 'verified', { verdict, verifiedBy: act.actor.name });
  }

  close(id: string, act: Parameters<AlarmBook['close']>[1]) {
    return this.#act(id, act, 'closed', { state: 'closed', closedBy: act.actor.name });
  }

  onChange(listener: (alarm: Alarm, action: Action) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #act(id: string, { actor, version }: Act, action: Action, change: Partial<Alarm>): Promise<Alarm> {
    const alarm = this.all.get(id);
    if (!alarm) throw new FireError('FIRE_NOT_FOUND', { what: id });
    if (version !== undefined && version !== alarm.version)
      throw new FireError('FIRE_ALARM_CHANGED', { version: alarm.version, by: '' });
    this.acts.push({ id, actor });
    return this.put({ ...alarm, ...change, version: alarm.version + 1 }, action);
  }
}
