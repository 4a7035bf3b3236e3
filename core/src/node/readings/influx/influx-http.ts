import { HttpError, InfluxDB, type WriteApi } from '@influxdata/influxdb-client';
import { FireError } from '../../../errors.ts';

/** Lines of one request; more gains nothing. */
export const LINES_MAX = 5_000;
/** The store is away, or refuses us as a whole, when this has passed. */
const TIMEOUT_MS = 5_000;
const DELETE_TIMEOUT_MS = 60_000;

/** Where and as whom, out of `influx://[user:password@|token@]host:port/database[?version=1|2&org=ORG&tls=1]`. */
export interface InfluxTarget {
  url: string;
  database: string;
  version: 1 | 2;
  org: string;
  authorization: string | null;
}

export function parseInfluxUrl(text: string): InfluxTarget {
  const url = new URL(text);
  const version = url.searchParams.get('version') === '2' ? 2 : 1;
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const basic = () => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return {
    url: `${url.searchParams.get('tls') === '1' ? 'https' : 'http'}://${url.host || 'localhost'}`,
    database: decodeURIComponent(url.pathname.slice(1)) || 'smartfire',
    version,
    org: url.searchParams.get('org') ?? '',
    authorization: user === '' ? null : password === '' ? `Token ${user}` : basic(),
  };
}

/** A 400 for what a line holds; everything else that goes wrong is FIRE_READINGS_UNAVAILABLE. */
export class LinesRefused extends Error {}

export function unavailable(cause: unknown): FireError {
  return new FireError(
    'FIRE_READINGS_UNAVAILABLE',
    { reason: cause instanceof Error ? cause.message : String(cause) },
    cause,
  );
}

/** One column set of an InfluxQL answer, or null when the statement found nothing. */
export type Rows = unknown[][] | null;

/** The three things we say to an InfluxDB. Nothing is kept or retried here. */
export class InfluxHttp {
  readonly #target: InfluxTarget;
  readonly #headers: Record<string, string>;
  readonly #writer: WriteApi;
  #databaseMade = false;

  constructor(target: InfluxTarget) {
    this.#target = target;
    this.#headers = target.authorization === null ? {} : { Authorization: target.authorization };
    const client = new InfluxDB({ url: target.url, timeout: TIMEOUT_MS, headers: this.#headers });
    this.#writer = client.getWriteApi(target.org, target.database, 'ms', {
      // Lines are sent by `flush` alone: only that is awaited.
      batchSize: LINES_MAX + 1,
      maxBatchBytes: Number.MAX_SAFE_INTEGER,
      flushInterval: 0,
      maxRetries: 0,
      gzipThreshold: Number.MAX_SAFE_INTEGER,
      // Rejects without the client's own line on the console.
      writeFailed: (error) => Promise.reject(error),
    });
    if (target.version === 1) this.#writer.path = `/write?db=${encodeURIComponent(target.database)}&precision=ms`;
  }

  /** At most LINES_MAX lines. Resolves when all are stored. Throws LinesRefused with the server's words when it minds their contents. */
  async write(lines: string[]): Promise<void> {
    await this.#makeDatabase();
    try {
      this.#writer.writeRecords(lines);
      await this.#writer.flush();
    } catch (error) {
      if (
        error instanceof HttpError &&
        (error.statusCode === 400 || error.statusCode === 413 || error.statusCode === 422)
      )
        throw new LinesRefused(error.body || error.message);
      // Somebody dropped the database: made again at the next call.
      if (error instanceof HttpError && error.statusCode === 404) this.#databaseMade = false;
      throw unavailable(error);
    }
  }

  /** Answers of InfluxQL statements, in their order. Times are ms. */
  async query(statements: string[], timeout: number = TIMEOUT_MS): Promise<Rows[]> {
    await this.#makeDatabase();
    return await this.#query(statements, timeout);
  }

  /** Deletes what is older than `before` (ms) from a measurement. */
  async deleteBefore(measurement: string, before: number): Promise<void> {
    const stop = new Date(before).toISOString();
    if (this.#target.version === 1) {
      await this.query([`DELETE FROM "${measurement}" WHERE time < '${stop}'`], DELETE_TIMEOUT_MS);
      return;
    }
    const { org, database } = this.#target;
    const body = JSON.stringify({ start: '1970-01-01T00:00:00Z', stop, predicate: `_measurement="${measurement}"` });
    const path = `/api/v2/delete?org=${encodeURIComponent(org)}&bucket=${encodeURIComponent(database)}`;
    await this.#request(
      path,
      { method: 'POST', body, headers: { 'content-type': 'application/json' } },
      DELETE_TIMEOUT_MS,
    );
  }

  async ping(): Promise<void> {
    await this.#request('/ping', {}, TIMEOUT_MS);
  }

  /** Ends the writer; it holds no lines between calls. */
  close(): void {
    this.#writer.dispose();
  }

  /** 1.x makes databases on demand; a 2.x bucket is made by its administrator. */
  async #makeDatabase(): Promise<void> {
    if (this.#databaseMade || this.#target.version === 2) return;
    await this.#query([`CREATE DATABASE "${this.#target.database.replace(/["\\]/g, '\\$&')}"`], TIMEOUT_MS);
    this.#databaseMade = true;
  }

  async #query(statements: string[], timeout: number): Promise<Rows[]> {
    const body = new URLSearchParams({ db: this.#target.database, epoch: 'ms', q: statements.join(';') });
    const answer = JSON.parse(await this.#request('/query', { method: 'POST', body }, timeout)) as InfluxAnswer;
    return answer.results.map(({ error, series }) => {
      if (error?.startsWith('database not found')) this.#databaseMade = false;
      if (error !== undefined) throw unavailable(error);
      return series?.[0]?.values ?? null;
    });
  }

  async #request(path: string, init: RequestInit, timeout: number): Promise<string> {
    try {
      const headers = { ...this.#headers, ...(init.headers as Record<string, string>) };
      const response = await fetch(this.#target.url + path, { ...init, headers, signal: AbortSignal.timeout(timeout) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path.split('?')[0]}: HTTP ${response.status} ${text.slice(0, 200)}`);
      return text;
    } catch (error) {
      throw unavailable(error);
    }
  }
}

interface InfluxAnswer {
  results: { error?: string; series?: { values: unknown[][] }[] }[];
}
