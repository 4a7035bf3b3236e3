import { resolve } from 'node:path';
import type { ReadingsStore } from '../../ports/readings.ts';
import type { Logger } from '../log.ts';
import { createEmbeddedReadings } from './embedded/embedded.ts';

/** The readings store of `READINGS_URL`: `sqlite:FILE`, relative to `dataDir`, or `influx://…`. No I/O before its `open`. */
export function openReadings(url: string, { dataDir, log }: { dataDir: string; log: Logger }): ReadingsStore {
  return createEmbeddedReadings({ file: resolve(dataDir, url.slice('sqlite:'.length)), log });
}
