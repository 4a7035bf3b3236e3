import type { Maintenance, RuleAction, RuleActor, RuleVersion } from '@smart-fire/core';
import type { MaintenanceTable, RuleTable, StateStore } from '@smart-fire/core/node';

type Trx = Parameters<Parameters<StateStore['transaction']>[0]>[0];

/** One change of one rule, as it goes to the store. */
export interface RuleWrite {
  id: string;
  version: number;
  action: RuleAction;
  /** What people made of it; null = as shipped, or deleted. */
  document: string | null;
  /** The whole rule as of this version; null = deleted. */
  whole: object | null;
  /** The preset as it was before anybody touched it, written as version 1 with the first change. */
  first: object | null;
  /** For the audit trail. */
  detail: Record<string, unknown>;
}

/** Rules, versions and maintenance windows in the state store. Rejects with FIRE_STATE_UNAVAILABLE while it is away. */
export interface RuleRepository {
  load(windowsAfter: number): Promise<{ rules: RuleTable[]; windows: MaintenanceTable[] }>;
  /** All of them with their versions and audit rows, or none. */
  save(writes: readonly RuleWrite[], actor: RuleActor, at: number): Promise<void>;
  /** Newest first, below `before`. */
  versions(id: string, page: { before: number; limit: number }): Promise<Omit<RuleVersion, 'changes'>[]>;
  addWindow(window: Maintenance, at: number, path: string): Promise<void>;
  /** `to` null = taken back before it began. */
  endWindow(window: Maintenance, to: number | null, actor: RuleActor, path: string): Promise<void>;
}

export function createRuleRepository(state: StateStore): RuleRepository {
  const { db } = state;

  async function saveOne(trx: Trx, write: RuleWrite, actor: RuleActor, at: number): Promise<void> {
    const { id, version, action, document, whole, first, detail } = write;
    const row = { version, document, changed_at: at, changed_by: actor.id };
    const versionRow = (no: number, by: string, what: RuleAction, value: object | null) => ({
      ...{ rule: id, version: no, at, actor: by, action: what },
      document: value && JSON.stringify(value),
    });
    await trx
      .insertInto('rule')
      .values({ id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
    if (first)
      await trx
        .insertInto('rule_version')
        .values(versionRow(version - 1, 'system', 'shipped', first))
        .execute();
    await trx
      .insertInto('rule_version')
      .values(versionRow(version, actor.id, action, whole))
      .execute();
    await state.audit(trx, { actor: actor.id, action: `rule.${action}`, subject: `rule:${id}`, detail });
  }

  return {
    async load(windowsAfter) {
      const rules = await db.selectFrom('rule').selectAll().orderBy('id').execute();
      const windows = await db.selectFrom('maintenance').selectAll().where('to_at', '>', windowsAfter).execute();
      return { rules, windows };
    },

    save: (writes, actor, at) =>
      state.transaction(async (trx) => {
        for (const write of writes) await saveOne(trx, write, actor, at);
      }),

    async versions(id, { before, limit }) {
      const rows = await db
        .selectFrom('rule_version')
        .selectAll()
        .where('rule', '=', id)
        .where('version', '<', before)
        .orderBy('version', 'desc')
        .limit(limit)
        .execute();
      return rows.map(({ version, at, actor, action, document }) => ({
        ...{ version, at, actor, action: action as RuleAction },
        rule: document === null ? null : (JSON.parse(document) as RuleVersion['rule']),
      }));
    },

    addWindow: (window, at, path) =>
      state.transaction(async (trx) => {
        const { id, scope, from, to, reason, by } = window;
        await trx
          .insertInto('maintenance')
          .values({
            ...{ id, scope: JSON.stringify(scope), from_at: from, to_at: to, reason },
            ...{ announced_by: by, created_at: at, ended_by: null },
          })
          .execute();
        const detail = { scope, from, to, reason, path };
        await state.audit(trx, { actor: by, action: 'maintenance.create', subject: `maintenance:${id}`, detail });
      }),

    endWindow: ({ id, scope }, to, actor, path) =>
      state.transaction(async (trx) => {
        if (to === null) await trx.deleteFrom('maintenance').where('id', '=', id).execute();
        else await trx.updateTable('maintenance').set({ to_at: to, ended_by: actor.id }).where('id', '=', id).execute();
        const action = to === null ? 'maintenance.delete' : 'maintenance.end';
        const detail = { scope, ...(to === null ? {} : { to }), path };
        await state.audit(trx, { actor: actor.id, action, subject: `maintenance:${id}`, detail });
      }),
  };
}
