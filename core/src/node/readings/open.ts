import { resolve } from 'node:path';
import type { ReadingsStore } from '../../ports/readings.ts';
import type { Logger } from '../log.ts';
import { createEmbeddedReadings } from './embedded/embedded.ts';
import { createInfluxReadings } from './influx/influx.ts';
import { parseInfluxUrl } from './influx/influx-http.ts';

/** The readings store of `READINGS_URL`: `sqlite:FILE`, relative to `dataDir`, or `influx://…`. No I/O before its `open`. */
export function openReadings(url: string, { dataDir, log }: { dataDir: string; log: Logger }): ReadingsStore {
  if (url.startsWith('influx:')) return createInfluxReadings(parseInfluxUrl(url));
  return createEmbeddedReadings({ file: resolve(dataDir, url.slice('sqlite:'.length)), log });
}
