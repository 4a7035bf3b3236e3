import type { Clock, Timer } from '@smart-fire/core';

/** What a command needs of the world outside; tests give their own. */
export interface Io {
  clock: Clock;
  /** One line to the person, without newline. */
  line: (text: string) => void;
  /** Show progress: replaces the last progress on a terminal, is a line of its own elsewhere. */
  progress: (text: string) => void;
  terminal: boolean;
  /** Aborted by Ctrl-C or SIGTERM. */
  signal: AbortSignal;
  environment: Record<string, string | undefined>;
}

const REFRESH_MS = 500;
const PLAIN_MS = 5000;

/** Progress and the rates since the last showing, until the returned timer is cancelled. */
export function showProgress(io: Io, describe: (secondsSinceLast: number) => string): Timer {
  const period = io.terminal ? REFRESH_MS : PLAIN_MS;
  let last = io.clock.now();
  return io.clock.setInterval(() => {
    const now = io.clock.now();
    io.progress(describe((now - last) / 1000));
    last = now;
  }, period);
}

/** Resolves when the person ends it, or after `seconds` when that is given. */
export function untilEnded(io: Io, seconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (io.signal.aborted) return resolve();
    const timer = seconds === undefined ? null : io.clock.setTimeout(resolve, seconds * 1000);
    io.signal.addEventListener('abort', () => {
      timer?.cancel();
      resolve();
    });
  });
}

/** The process itself. The second Ctrl-C ends at once. */
export function processIo(clock: Clock): Io {
  const terminal = process.stdout.isTTY === true;
  const aborter = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (aborter.signal.aborted) process.exit(130);
      aborter.abort();
    });
  // Clear to the end of the line: a shorter line must not leave the tail of a longer one.
  const erase = terminal ? '\r\x1b[K' : '';
  return {
    clock,
    terminal,
    signal: aborter.signal,
    environment: process.env,
    line: (text) => void process.stdout.write(`${erase}${text}\n`),
    progress: (text) => void process.stdout.write(terminal ? `${erase}${text}` : `${text}\n`),
  };
}
