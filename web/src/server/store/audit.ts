import type { Registry } from '@smart-fire/core';
import type { AuditTable, StateStore } from '@smart-fire/core/node';
import type { Credentials } from '../access/credentials.ts';

/** Rows read at a time while looking for those in a narrower scope. */
const STEP = 1000;
/** Rows looked at for one answer; a rarely met filter goes on with the answer's cursor. */
const MOST = 20_000;

export interface AuditQuery {
  scope: string;
  actor?: string | undefined;
  action?: string | undefined;
  subject?: string | undefined;
  /** Rows below this number. */
  before: number;
  limit: number;
}

export interface AuditPage {
  rows: (Omit<AuditTable, 'detail'> & { detail: Record<string, unknown> })[];
  /** Where to go on, null at the beginning of the trail. */
  before: number | null;
}

/** Reads the trail for people: newest first, and only what concerns their part of the tree. */
export class AuditTrail {
  readonly #state: StateStore;
  readonly #registry: Registry;
  readonly #credentials: Credentials;

  constructor(state: StateStore, registry: Registry, credentials: Credentials) {
    this.#state = state;
    this.#registry = registry;
    this.#credentials = credentials;
  }

  async page({ scope, actor, action, subject, before, limit }: AuditQuery): Promise<AuditPage> {
    const found: AuditPage['rows'] = [];
    let from = before;
    for (let seen = 0; seen < MOST; seen += STEP) {
      let query = this.#state.db
        .selectFrom('audit')
        .selectAll()
        .where('no', '<', from)
        .orderBy('no', 'desc')
        .limit(STEP);
      if (actor !== undefined) query = query.where('actor', '=', actor);
      if (action !== undefined) query = query.where('action', '=', action);
      if (subject !== undefined) query = query.where('subject', '=', subject);
      const rows = (await query.execute()).map((row) => ({
        ...row,
        detail: JSON.parse(row.detail) as Record<string, unknown>,
      }));
      const paths = scope === '/' ? null : await this.#paths(rows);
      for (const [index, row] of rows.entries()) {
        if (paths && !paths[index]!.startsWith(scope)) continue;
        if (found.length === limit) return { rows: found, before: found.at(-1)!.no };
        found.push(row);
      }
      const last = rows.at(-1);
      if (rows.length < STEP || !last) return { rows: found, before: null };
      from = last.no;
    }
    return { rows: found, before: from };
  }

  /** Where the thing lies that each row is about: where it is now, or where it was; '' (in no scope) when nobody can tell. */
  async #paths(rows: { subject: string; detail: Record<string, unknown> }[]): Promise<string[]> {
    const sites = await this.#alarmSites(rows.map(({ subject }) => subject));
    const { areas, sites: siteMap, zones, devices } = this.#registry;
    return rows.map(({ subject, detail }) => {
      const colon = subject.indexOf(':');
      const [entity, id] = [subject.slice(0, colon), subject.slice(colon + 1)];
      const places: Record<string, (() => string | undefined) | undefined> = {
        area: () => areas.get(id)?.path,
        site: () => siteMap.get(id)?.path,
        zone: () => siteMap.get(zones.get(id)?.site ?? '')?.path,
        device: () => devices.get(id)?.path,
        alarm: () => siteMap.get(sites.get(id) ?? '')?.path,
        user: () => this.#credentials.person(id)?.scope,
      };
      return places[entity]?.() ?? (typeof detail.path === 'string' ? detail.path : '');
    });
  }

  async #alarmSites(subjects: string[]): Promise<Map<string, string>> {
    const ids = [
      ...new Set(subjects.filter((subject) => subject.startsWith('alarm:')).map((subject) => subject.slice(6))),
    ];
    const rows = ids.length
      ? await this.#state.db.selectFrom('alarm').select(['id', 'site']).where('id', 'in', ids).execute()
      : [];
    return new Map(rows.map(({ id, site }) => [id, site]));
  }
}
