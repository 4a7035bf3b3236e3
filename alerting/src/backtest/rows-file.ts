import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { FireError, type Level } from '@smart-fire/core';

/** Bytes gathered before they are handed to the file. */
const CHUNK = 64 * 1024;

export interface RowsFile {
  add(cell: string, alarm: boolean, level: Level | null, score: number): Promise<void> | undefined;
  close(): Promise<void>;
}

/** `--out`: one line `time,alarm,level,score` per row. Rejects with FIRE_BACKTEST_FILE when the file cannot be written. */
export function createRowsFile(file: string): RowsFile {
  const stream = createWriteStream(file);
  const done = finished(stream).catch((error: Error) => {
    throw new FireError('FIRE_BACKTEST_FILE', { file, problem: error.message }, error);
  });
  // Looked at in `close`; until then it must not end the process.
  done.catch(() => undefined);
  let text = 'time,alarm,level,score\n';
  return {
    add(cell, alarm, level, score) {
      text += `${quoted(cell)},${alarm ? 1 : 0},${level ?? ''},${Number(score.toPrecision(6))}\n`;
      if (text.length < CHUNK) return undefined;
      const written = stream.write(text);
      text = '';
      return written ? undefined : Promise.race([once(stream, 'drain').then(() => undefined), done]);
    },
    async close() {
      stream.end(text);
      await done;
    },
  };
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
