import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { stepBehindMain } from '../thread-priority.ts';

/** One statement for the worker, and its answer. SQLite's own error code travels along so that the other side can tell causes apart. */
export interface Statement {
  id: number;
  sql: string;
  parameters: SQLInputValue[];
}
export type Answer =
  | { id: number; rows: Record<string, unknown>[]; changes: number; lastId: number }
  | { id: number; error: string; errcode: number };

stepBehindMain();
const database = new DatabaseSync((workerData as { file: string }).file);
// Alarms and audit must survive a power cut, so commits reach the disk.
database.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;',
);

const port = parentPort!;
port.on('message', ({ id, sql, parameters }: Statement) => {
  try {
    const statement = database.prepare(sql);
    if (statement.columns().length > 0) {
      // node:sqlite rows have no prototype, which surprises everyone downstream.
      const rows = statement.all(...parameters).map((row) => ({ ...row }));
      port.postMessage({ id, rows, changes: 0, lastId: 0 } satisfies Answer);
    } else {
      const { changes, lastInsertRowid } = statement.run(...parameters);
      port.postMessage({ id, rows: [], changes: Number(changes), lastId: Number(lastInsertRowid) } satisfies Answer);
    }
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number };
    port.postMessage({ id, error: message, errcode: errcode ?? 0 } satisfies Answer);
  }
});
