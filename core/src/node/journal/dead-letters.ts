import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DeadLetter, DeadLetterQuery } from '../../ports/journal.ts';
import { statementCache } from '../sqlite-file.ts';

export const DEAD_LETTER_SCHEMA = `CREATE TABLE dead_letter(id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, topic TEXT NOT NULL,
  received_at INTEGER NOT NULL, code TEXT NOT NULL, problems TEXT NOT NULL, payload TEXT NOT NULL, encoding TEXT NOT NULL);
CREATE INDEX dead_letter_by_device ON dead_letter(device, id)`;

/** The oldest go first; one device cannot push out everybody else's. */
const DEAD_LETTER_KEEP = { perDevice: 1000, all: 100_000 } as const;

/** The bounded list of what was refused. */
export class DeadLetterList {
  readonly #sql: (sql: string) => StatementSync;
  #counts = new Map<string, number>();
  #total = 0;

  constructor(db: DatabaseSync) {
    this.#sql = statementCache(db);
    this.recount();
  }

  /** Reads the counts afresh: at the start, and after a transaction was rolled back. */
  recount(): void {
    const rows = this.#sql('SELECT device, count(*) AS count FROM dead_letter GROUP BY device').all();
    this.#counts = new Map(rows.map((row) => [row.device as string, row.count as number]));
    this.#total = rows.reduce((sum, row) => sum + (row.count as number), 0);
  }

  /** In the caller's transaction. */
  add(letters: Omit<DeadLetter, 'id'>[]): void {
    if (letters.length === 0) return;
    const insert = this.#sql(
      'INSERT INTO dead_letter(device, topic, received_at, code, problems, payload, encoding) VALUES(?, ?, ?, ?, ?, ?, ?)',
    );
    for (const { device, topic, receivedAt, code, problems, payload, encoding } of letters) {
      insert.run(device, topic, receivedAt, code, JSON.stringify(problems), payload, encoding);
      this.#count(device, 1);
      if (this.#counts.get(device)! > DEAD_LETTER_KEEP.perDevice) this.#dropOldest('WHERE device = ?', [device]);
      if (this.#total > DEAD_LETTER_KEEP.all) this.#dropOldest('', []);
    }
  }

  list({ devices, before, limit }: DeadLetterQuery): DeadLetter[] {
    const rows = this.#sql(
      `SELECT * FROM dead_letter WHERE id < ? ${devices ? 'AND device IN (SELECT value FROM json_each(?))' : ''} ORDER BY id DESC LIMIT ?`,
    ).all(before ?? Number.MAX_SAFE_INTEGER, ...(devices ? [JSON.stringify(devices)] : []), limit);
    return rows.map((row) => ({
      id: row.id as number,
      device: row.device as string,
      topic: row.topic as string,
      receivedAt: row.received_at as number,
      code: row.code as DeadLetter['code'],
      problems: JSON.parse(row.problems as string),
      payload: row.payload as string,
      encoding: row.encoding as DeadLetter['encoding'],
    }));
  }

  #dropOldest(where: string, params: string[]): void {
    const row = this.#sql(
      `DELETE FROM dead_letter WHERE id = (SELECT min(id) FROM dead_letter ${where}) RETURNING device`,
    ).get(...params);
    this.#count(row!.device as string, -1);
  }

  #count(device: string, by: number): void {
    const count = (this.#counts.get(device) ?? 0) + by;
    if (count === 0) this.#counts.delete(device);
    else this.#counts.set(device, count);
    this.#total += by;
  }
}
