import { Worker } from 'node:worker_threads';
import { type Clock, FireError } from '@smart-fire/core';
import { createTurns } from './turns.ts';
import type { RulesRead } from './yaml-read.ts';

/** A thousand rules take a second; what is made to be slow takes longer. */
const LONGEST_MS = 10_000;
/** Behind the one that is read. */
const MOST_WAITING = 5;

/** Reads rules out of YAML in a thread of its own, one text at a time: what people send does not hold up the platform. */
export interface YamlReader {
  /** Rejects with FIRE_RATE_LIMITED when too many wait. */
  read(text: string): Promise<RulesRead>;
  /** Ends what is being read. */
  stop(): Promise<void>;
}

export function createYamlReader({ clock }: { clock: Clock }): YamlReader {
  const turns = createTurns();
  let stopped = false;
  let running: Worker | null = null;

  async function readNow(text: string): Promise<RulesRead> {
    if (stopped) return unread();
    const worker = new Worker(new URL('./yaml-worker.ts', import.meta.url), { workerData: text });
    running = worker;
    const limit = clock.setTimeout(() => void worker.terminate(), LONGEST_MS);
    let found = unread();
    let failed: unknown = null;
    worker.on('message', (message: RulesRead) => {
      found = message;
    });
    worker.on('error', (error) => {
      failed = error;
    });
    await new Promise((resolve) => worker.once('exit', resolve));
    limit.cancel();
    running = null;
    if (failed !== null) throw failed;
    return found;
  }

  return {
    async read(text) {
      if (turns.count() > MOST_WAITING) throw new FireError('FIRE_RATE_LIMITED', { seconds: LONGEST_MS / 1000 });
      return turns.take(() => readNow(text));
    },
    async stop() {
      stopped = true;
      await running?.terminate();
      await turns.over();
    },
  };
}

/** What is told when the thread ended without an answer. */
function unread(): RulesRead {
  const zh = '读取耗时过长,请分成几个文件';
  const en = 'takes too long to read: make it several files';
  return { entries: [], errors: [{ line: 1, path: '', zh, en }] };
}
