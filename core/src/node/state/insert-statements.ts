import { type Compilable, CompiledQuery, type Transaction } from 'kysely';
import type { StateTables } from './tables.ts';

/**
 * Inserts of many rows at a time. By table and number of rows the statement is made once: to make one takes longer, and leaves more
 * to collect, than to run it.
 */
export class InsertStatements {
  readonly #known = new Map<string, { sql: string; columns: string[] }>();

  /** `make` builds the statement for rows like these; it must depend on the table and the number of rows alone. */
  async run<Row extends object>(
    trx: Transaction<StateTables>,
    table: keyof StateTables,
    rows: readonly Row[],
    make: (rows: readonly Row[]) => Compilable,
  ): Promise<void> {
    const key = `${table} ${rows.length}`;
    let statement = this.#known.get(key);
    if (!statement) {
      statement = { sql: make(rows).compile().sql, columns: Object.keys(rows[0]!) };
      this.#known.set(key, statement);
    }
    const { sql, columns } = statement;
    const values = rows.flatMap((row) => columns.map((column) => row[column as keyof Row]));
    await trx.executeQuery(CompiledQuery.raw(sql, values));
  }
}
