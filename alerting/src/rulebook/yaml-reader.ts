import { type ChildProcess, fork } from 'node:child_process';
import { type Clock, FireError } from '@smart-fire/core';
import { createTurns } from './turns.ts';
import type { RulesRead } from './yaml-read.ts';

/** A thousand rules take a second; what is made to be slow takes longer. */
const LONGEST_MS = 10_000;
/** What is read of 1 MiB takes less; what takes more ends this process and nothing else. */
const HEAP = '--max-old-space-size=512';
const PROGRAM = new URL('./yaml-process.ts', import.meta.url);
/** Behind the one that is read. */
const MOST_WAITING = 5;

/**
 * Reads rules out of YAML in a process of its own, one text at a time: what people send neither holds up the platform nor ends it. A thread
 * would not do: each one that loads TypeScript runs WebAssembly, and V8 at times ends the whole process over that of threads that have ended
 * (nodejs/node#64500).
 */
export interface YamlReader {
  /** Rejects with FIRE_RATE_LIMITED when too many wait. */
  read(text: string): Promise<RulesRead>;
  /** Ends what is being read. */
  stop(): Promise<void>;
}

export function createYamlReader({ clock }: { clock: Clock }): YamlReader {
  const turns = createTurns();
  let stopped = false;
  let running: ChildProcess | null = null;

  async function readNow(text: string): Promise<RulesRead> {
    if (stopped) return unread();
    // No environment: it holds secrets, which are nothing to a process that reads what people send.
    const reading = fork(PROGRAM, { execArgv: [HEAP], env: {}, serialization: 'advanced' });
    running = reading;
    let found: RulesRead | null = null;
    let failed: unknown = null;
    const limit = clock.setTimeout(() => end(reading), LONGEST_MS);
    reading.on('message', (message) => {
      found = message as RulesRead;
    });
    reading.on('error', (error) => {
      failed = error;
    });
    // When it ends before it was sent all of it, that is told by its end.
    reading.send(text, () => undefined);
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      reading.once('close', (...how) => resolve(how)),
    );
    limit.cancel();
    running = null;
    if (found !== null) return found;
    if (reading.killed) return unread();
    throw failed ?? new Error(`the process that reads YAML ended without an answer (${signal ?? code})`);
  }

  return {
    async read(text) {
      if (turns.count() > MOST_WAITING) throw new FireError('FIRE_RATE_LIMITED', { seconds: LONGEST_MS / 1000 });
      return turns.take(() => readNow(text));
    },
    async stop() {
      stopped = true;
      if (running !== null) end(running);
      await turns.over();
    },
  };
}

function end(reading: ChildProcess): void {
  reading.kill('SIGKILL');
}

/** What is told when the process was ended without an answer. */
function unread(): RulesRead {
  const zh = '读取耗时过长,请分成几个文件';
  const en = 'takes too long to read: make it several files';
  return { entries: [], errors: [{ line: 1, path: '', zh, en }] };
}
