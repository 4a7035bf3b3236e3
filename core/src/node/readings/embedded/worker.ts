import { workerData } from 'node:worker_threads';
import type { SeriesRow } from '../../../ports/journal.ts';
import type { RangeQuery, RetentionBorders } from '../../../ports/readings.ts';
import { serve } from '../../worker-server.ts';
import { EmbeddedStore, type WrittenBatch } from './embedded-store.ts';

let store: EmbeddedStore | null = null;

const calls = {
  open(series: SeriesRow[]) {
    store = new EmbeddedStore(workerData);
    store.open(series);
  },
  write: (batch: WrittenBatch) => store!.write(batch),
  points({ query, limit }: { query: RangeQuery; limit: number }, transfer: ArrayBuffer[]) {
    const found = store!.points(query, limit);
    transfer.push(found.buffer);
    return found;
  },
  buckets: ({ query, count }: { query: RangeQuery; count: number }) => store!.buckets(query, count),
  retain: ({ before, after }: { before: RetentionBorders; after: number }) => store!.retain(before, after),
  ping: () => true,
  close() {
    store?.close();
    store = null;
  },
};
export type EmbeddedCalls = typeof calls;

serve(calls);
