import type { SQLInputValue } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { FireError } from '../../errors.ts';
import type { Answer, Statement } from './sqlite-worker.ts';

/** SQLite result codes (primary) that a caller caused, not the disk: https://www.sqlite.org/rescode.html */
const CALLERS_FAULT = new Set([0, 1 /* SQL */, 19 /* CONSTRAINT */, 20 /* MISMATCH */, 25 /* RANGE */]);

/**
 * Kysely over node:sqlite in a worker thread: a slow disk never stops the thread that answers devices.
 * One connection, handed out to one user at a time; what SQLite itself cannot do (disk full, I/O) is FIRE_STATE_UNAVAILABLE.
 */
export function sqliteDialect(file: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new WorkerDriver(file),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class WorkerDriver implements Driver {
  readonly #file: string;
  #connection: WorkerConnection | undefined;
  #last: Promise<void> = Promise.resolve();
  readonly #releases = new Map<DatabaseConnection, () => void>();

  constructor(file: string) {
    this.#file = file;
  }

  async init(): Promise<void> {
    this.#connection = new WorkerConnection(this.#file);
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    const connection = this.#connection!;
    this.#releases.set(connection, resolve);
    return connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // After some errors (disk full) SQLite has already rolled back by itself.
    await connection.executeQuery(CompiledQuery.raw('rollback')).catch(() => undefined);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#releases.get(connection)?.();
  }

  async destroy(): Promise<void> {
    await this.#last;
    await this.#connection?.close();
  }
}

class WorkerConnection implements DatabaseConnection {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  #nextId = 0;
  #died: Error | undefined;

  constructor(file: string) {
    this.#worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: { file } });
    this.#worker.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
    });
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the state store has stopped')));
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#died) throw new FireError('FIRE_STATE_UNAVAILABLE', {}, this.#died);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, { resolve, reject });
    this.#worker.postMessage({
      id,
      sql: query.sql,
      parameters: query.parameters as SQLInputValue[],
    } satisfies Statement);
    const answer = await promise;
    if ('error' in answer) {
      if (CALLERS_FAULT.has(answer.errcode & 0xff))
        throw Object.assign(new Error(answer.error), { errcode: answer.errcode });
      throw new FireError('FIRE_STATE_UNAVAILABLE', {}, new Error(answer.error));
    }
    return { rows: answer.rows as R[], numAffectedRows: BigInt(answer.changes), insertId: BigInt(answer.lastId) };
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#died = error;
    for (const { reject } of this.#waiting.values()) reject(new FireError('FIRE_STATE_UNAVAILABLE', {}, error));
    this.#waiting.clear();
  }
}
