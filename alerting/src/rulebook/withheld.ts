import type {
  Clock,
  Registry,
  RuleSource,
  Timer,
  WithheldQuery,
  WithheldRaise,
  WithheldReason,
  WithheldRecord,
} from '@smart-fire/core';
import type { Logger, StateStore } from '@smart-fire/core/node';
import { type OpenWithheld, withheldFromRow, withheldToRow } from './rows.ts';

/** Kept per rule, newest: enough to judge a rule in shadow by. */
export const KEPT_PER_RULE = 2000;
/** Waiting for the store at most; when it is away for long the oldest go. */
const MOST_WAITING = 20_000;
const FLUSH_MS = 1000;
/** Rows of one statement: 18 columns, SQLite takes 32,766 values. */
const ROWS = 100;

export interface WithheldLog
  extends Pick<RuleSource, 'withhold' | 'withheldOver' | 'refused' | 'replayFrom' | 'flush'> {
  load(): Promise<void>;
  list(query: WithheldQuery): Promise<WithheldRecord[]>;
  counts(scope: string, since: number): Promise<Map<string, { shadow: number; other: number }>>;
  /** By maintenance window, what it withholds now within `scope`. */
  now(scope: string): Map<string, number>;
  stop(): Promise<void>;
}

/**
 * What was there and raised no alarm: written in the background, a replay changes nothing. It may be a moment ahead of the journal, so one
 * more may be counted where a crash or a refusal took something back.
 */
export function createWithheldLog({
  state,
  registry,
  clock,
  log,
}: {
  state: StateStore;
  registry: Registry;
  clock: Clock;
  log: Logger;
}): WithheldLog {
  const { db } = state;
  /** By cause, while the condition lasts. */
  const open = new Map<string, OpenWithheld>();
  /** By cause, of conditions that are over: the last journal number kept of them, when a replay brings it again. */
  const told = new Map<string, number>();
  const waiting = new Map<string, OpenWithheld>();
  let timer: Timer | null = null;
  let writing: Promise<void> = Promise.resolve();

  function later(item: OpenWithheld): void {
    waiting.delete(item.id);
    waiting.set(item.id, item);
    if (waiting.size > MOST_WAITING) waiting.delete(waiting.keys().next().value!);
    timer ??= clock.setTimeout(() => {
      timer = null;
      flush().catch((error: unknown) =>
        log.warn({ err: error }, 'withheld raises could not be written; they are kept'),
      );
    }, FLUSH_MS);
  }

  /** Numbers go on anew from `no`. */
  function refused(no: number): void {
    for (const items of [open, waiting]) for (const item of items.values()) item.lastNo = Math.min(item.lastNo, no - 1);
  }

  function flush(): Promise<void> {
    writing = writing.catch(() => undefined).then(write);
    return writing;
  }

  async function write(): Promise<void> {
    const items = [...waiting.values()].map((item) => ({ ...item }));
    if (items.length === 0) return;
    waiting.clear();
    try {
      await state.transaction(async (trx) => {
        for (let at = 0; at < items.length; at += ROWS)
          await trx
            .insertInto('withheld')
            .values(items.slice(at, at + ROWS).map(withheldToRow))
            .onConflict((conflict) =>
              conflict.column('id').doUpdateSet((eb) => ({
                level: eb.ref('excluded.level'),
                over_at: eb.ref('excluded.over_at'),
                count: eb.ref('excluded.count'),
                last_no: eb.ref('excluded.last_no'),
                explanation: eb.ref('excluded.explanation'),
              })),
            )
            .execute();
        for (const rule of new Set(items.map((item) => item.rule))) {
          const oldest = await trx
            .selectFrom('withheld')
            .select('raised_at')
            .where('rule', '=', rule)
            .orderBy('raised_at', 'desc')
            .orderBy('id', 'desc')
            .offset(KEPT_PER_RULE)
            .limit(1)
            .executeTakeFirst();
          if (oldest)
            await trx
              .deleteFrom('withheld')
              .where('rule', '=', rule)
              .where('raised_at', '<=', oldest.raised_at)
              .execute();
        }
      });
    } catch (error) {
      for (const item of items) if (!waiting.has(item.id)) later(item);
      throw error;
    }
  }

  return {
    async load() {
      for (const row of await db.selectFrom('withheld').selectAll().where('over_at', 'is', null).execute())
        open.set(row.cause, withheldFromRow(row));
    },

    async replayFrom(no, end) {
      told.clear();
      refused(end);
      if (no === null) for (const item of open.values()) item.lastNo = -1;
      else
        for (const { cause, last } of await db
          .selectFrom('withheld')
          .select(['cause', (eb) => eb.fn.max('last_no').as('last')])
          .where('over_at', 'is not', null)
          .where('last_no', '>=', no)
          .groupBy('cause')
          .execute())
          told.set(cause, Math.min(Number(last), end - 1));
    },

    refused,

    withhold({ no, time, ...raise }: WithheldRaise) {
      if (no <= (told.get(raise.cause) ?? -1)) return;
      const before = open.get(raise.cause);
      if (before && before.lastNo >= no) return;
      if (before?.why === raise.why && before.maintenance === raise.maintenance) {
        Object.assign(before, { count: before.count + 1, lastNo: no });
        if (raise.level !== before.level) Object.assign(before, { level: raise.level, explanation: raise.explanation });
        later(before);
        return;
      }
      if (before) Object.assign(before, { overAt: time, lastNo: no });
      if (before) later(before);
      const id = `${raise.cause}@${no}@${time}`;
      const item: OpenWithheld = { ...raise, id, raisedAt: time, overAt: null, count: 1, lastNo: no };
      open.set(raise.cause, item);
      later(item);
    },

    withheldOver({ no, cause, time }) {
      const item = open.get(cause);
      if (!item || item.lastNo > no || no <= (told.get(cause) ?? -1)) return;
      open.delete(cause);
      Object.assign(item, { overAt: time, lastNo: no });
      later(item);
    },

    flush,

    async list({ rule, maintenance, why, scope, before, limit }) {
      await flush();
      let query = db.selectFrom('withheld').selectAll('withheld');
      if (scope !== '/')
        // Compared by substr and not LIKE, to which the _ of an id is a wildcard.
        query = query
          .innerJoin('site', 'site.id', 'withheld.site')
          .where((eb) => eb(eb.fn('substr', ['site.path', eb.val(1), eb.val(scope.length)]), '=', scope));
      if (rule !== undefined) query = query.where('withheld.rule', '=', rule);
      if (maintenance !== undefined) query = query.where('withheld.maintenance', '=', maintenance);
      if (why !== undefined) query = query.where('withheld.why', '=', why);
      if (before !== undefined)
        query = query.where((eb) =>
          eb.or([
            eb('withheld.raised_at', '<', before.raisedAt),
            eb.and([eb('withheld.raised_at', '=', before.raisedAt), eb('withheld.id', '<', before.id)]),
          ]),
        );
      const rows = await query
        .orderBy('withheld.raised_at', 'desc')
        .orderBy('withheld.id', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => {
        const { lastNo: _, ...record } = withheldFromRow(row);
        return record;
      });
    },

    async counts(scope, since) {
      await flush();
      let query = db
        .selectFrom('withheld')
        .select(['withheld.rule', 'withheld.why', (eb) => eb.fn.countAll<number>().as('count')])
        .where('withheld.raised_at', '>=', since);
      if (scope !== '/')
        query = query
          .innerJoin('site', 'site.id', 'withheld.site')
          .where((eb) => eb(eb.fn('substr', ['site.path', eb.val(1), eb.val(scope.length)]), '=', scope));
      const counts = new Map<string, { shadow: number; other: number }>();
      for (const { rule, why, count } of await query.groupBy(['withheld.rule', 'withheld.why']).execute()) {
        const of = counts.get(rule) ?? { shadow: 0, other: 0 };
        of[(why as WithheldReason) === 'shadow' ? 'shadow' : 'other'] += Number(count);
        counts.set(rule, of);
      }
      return counts;
    },

    now(scope) {
      const counts = new Map<string, number>();
      for (const { maintenance, site } of open.values())
        if (maintenance !== null && (registry.sites.get(site)?.path ?? '/').startsWith(scope))
          counts.set(maintenance, (counts.get(maintenance) ?? 0) + 1);
      return counts;
    },

    async stop() {
      timer?.cancel();
      timer = null;
      await flush().catch((error: unknown) =>
        log.warn({ err: error }, 'withheld raises could not be written at the end'),
      );
    },
  };
}
