import { type Logger, pino } from 'pino';

export type { Logger };

/** Structured log on standard error, one JSON line each; standard output is for people. */
export function createLog(level: string): Logger {
  return pino({ level, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: false }));
}
