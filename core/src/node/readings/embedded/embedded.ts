import { FireError } from '../../../errors.ts';
import { copyColumn } from '../../../journal-batch.ts';
import type { JournalBatch, SeriesRow } from '../../../ports/journal.ts';
import type { ReadingsStore } from '../../../ports/readings.ts';
import type { Logger } from '../../log.ts';
import { WorkerClient } from '../../worker-client.ts';
import type { WrittenBatch } from './embedded-store.ts';
import type { EmbeddedCalls } from './worker.ts';

export interface EmbeddedOptions {
  file: string;
  log: Logger;
  /** Page limit of the file: a full disk, for tests. */
  maxPages?: number;
}

/**
 * Readings in one SQLite file, in a worker thread. A worker that died is started again on next use; what it held in memory is gone then,
 * so writes are refused until the caller has gone back to the last `durableBelow`.
 */
export function createEmbeddedReadings({ file, log, maxPages }: EmbeddedOptions): ReadingsStore {
  const unavailable = (reason: string) => new FireError('FIRE_READINGS_UNAVAILABLE', { reason }, new Error(reason));
  let series: SeriesRow[] = [];
  let worker: Promise<WorkerClient<EmbeddedCalls>> | null = null;
  let durableBelow = 0;
  let acceptedBelow = 0;
  let rewindTo: number | null = null;

  const start = async () => {
    const client = new WorkerClient<EmbeddedCalls>(
      new URL('./worker.ts', import.meta.url),
      { file, maxPages },
      { unavailable },
    );
    try {
      await client.call('open', series);
      return client;
    } catch (error) {
      await client.terminate();
      throw error;
    }
  };

  const use = async (): Promise<WorkerClient<EmbeddedCalls>> => {
    if (!worker) throw unavailable('it is not open');
    const client = await worker.catch(() => null);
    if (client && !client.dead) return client;
    log.error({ file }, 'the readings worker has ended; starting it again');
    if (acceptedBelow > durableBelow) rewindTo = durableBelow;
    worker = start();
    return worker;
  };

  return {
    async open(rows) {
      series = [...rows];
      worker = start();
      try {
        await worker;
      } catch (error) {
        worker = null;
        throw error;
      }
    },
    async write(batches) {
      if (batches.length === 0) return { durableBelow, rejected: [] };
      const client = await use();
      if (rewindTo !== null && batches[0]!.firstNo > rewindTo) throw unavailable(`go on from number ${rewindTo}`);
      rewindTo = null;
      for (const batch of batches) series.push(...batch.newSeries);
      const answer = await client.call('write', joined(batches));
      const last = batches.at(-1)!;
      acceptedBelow = last.firstNo + last.count;
      durableBelow = answer.durableBelow;
      return answer;
    },
    async points(query, limit) {
      const found = await (await use()).call('points', { query, limit });
      return Array.from({ length: found.length / 2 }, (_, row) => [found[2 * row]!, found[2 * row + 1]!]);
    },
    buckets: async (query, count) => (await use()).call('buckets', { query, count }),
    async retain(before) {
      let after: number | null = 0;
      while (after !== null) after = await (await use()).call('retain', { before, after });
    },
    async healthy() {
      try {
        return await (await use()).call('ping', undefined as never);
      } catch {
        return false;
      }
    },
    async close() {
      const client = await worker?.catch(() => null);
      worker = null;
      await client?.close();
    },
  };
}

/** One piece: to hand a typed array to a thread costs more than to copy a small one. */
function joined(batches: readonly JournalBatch[]): WrittenBatch {
  const length = batches.reduce((sum, { readings }) => sum + readings.length, 0);
  const columns = {
    no: new Float64Array(length),
    series: new Uint32Array(length),
    time: new Float64Array(length),
    receivedAt: new Float64Array(length),
    value: new Float64Array(length),
  };
  let at = 0;
  let now = 0;
  for (const { readings, entries } of batches) {
    for (const name of ['no', 'series', 'time', 'receivedAt', 'value'] as const)
      copyColumn(readings[name], readings.length, columns[name], at);
    at += readings.length;
    now = Math.max(now, entries.at(-1)?.receivedAt ?? 0, readings.receivedAt[readings.length - 1] ?? 0);
  }
  return {
    firstNo: batches[0]!.firstNo,
    count: batches.reduce((sum, { count }) => sum + count, 0),
    readings: { length, ...columns },
    newSeries: batches.flatMap(({ newSeries }) => newSeries),
    now,
  };
}
