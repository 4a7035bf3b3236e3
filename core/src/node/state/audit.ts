import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { AuditTable, StateTables } from './tables.ts';

/** What was done, by whom, to what. `detail` is plain JSON without secrets. */
export interface AuditAct {
  /** Person id, `token:{id}` or `system`. */
  actor: string;
  /** Such as `alarm.acknowledge`, `device.create`. */
  action: string;
  /** `{entity}:{id}` */
  subject: string;
  detail: Record<string, unknown>;
}

const FIRST = '0'.repeat(64);

function hashOf(row: Omit<AuditTable, 'hash'>): string {
  const { no, at, actor, action, subject, detail, previous } = row;
  return createHash('sha256')
    .update(JSON.stringify([previous, no, at, actor, action, subject, detail]))
    .digest('hex');
}

/** Append one row to the chain, inside the act's own transaction. */
export async function appendAudit(trx: Transaction<StateTables>, at: number, act: AuditAct): Promise<void> {
  const last = await trx.selectFrom('audit').select(['no', 'hash']).orderBy('no', 'desc').limit(1).executeTakeFirst();
  const row = {
    no: (last?.no ?? 0) + 1,
    at,
    actor: act.actor,
    action: act.action,
    subject: act.subject,
    detail: JSON.stringify(act.detail),
    previous: last?.hash ?? FIRST,
  };
  await trx
    .insertInto('audit')
    .values({ ...row, hash: hashOf(row) })
    .execute();
}

export interface AuditFinding {
  rows: number;
  /** Hash of the last row: write it down elsewhere to notice a cut tail. */
  head: string;
  /** First row that does not fit, with the reason; null = the chain holds. */
  broken: { no: number; reason: string } | null;
}

/** Walk the whole chain and recompute every hash. */
export async function verifyAudit(db: Kysely<StateTables>): Promise<AuditFinding> {
  let previous = FIRST;
  let no = 0;
  for (;;) {
    const rows = await db.selectFrom('audit').selectAll().where('no', '>', no).orderBy('no').limit(5000).execute();
    if (rows.length === 0) return { rows: no, head: previous, broken: null };
    for (const row of rows) {
      const { hash, ...rest } = row;
      if (row.no !== no + 1) return { rows: no, head: previous, broken: { no: no + 1, reason: 'row is missing' } };
      if (row.previous !== previous)
        return { rows: no, head: previous, broken: { no: row.no, reason: 'does not follow the row before' } };
      if (hashOf(rest) !== hash)
        return { rows: no, head: previous, broken: { no: row.no, reason: 'content was changed' } };
      previous = hash;
      no = row.no;
    }
  }
}
