import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A server under load: ours, or one we are compared with. Always a process of its own. */
export interface Peer {
  name: string;
  port: number;
  pid: number;
  stop(): Promise<void>;
}

/** SIGTERM, then wait for the end; SIGKILL where that is not heeded. */
export function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.once('exit', () => {
      clearTimeout(timer);
      done();
    });
    child.kill('SIGTERM');
  });
}

/** Resolves with the first match of `pattern` in what the process prints; rejects with its words when it ends first. */
export function waitForLine(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((done, fail) => {
    let text = '';
    const read = (data: Buffer) => {
      text += String(data);
      const match = pattern.exec(text);
      if (match) done(match);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`ended with ${code} before it was ready:\n${text}`)));
  });
}

const TICKS_PER_SECOND = 100;

/** Seconds of CPU that a process has used, all its threads together; null where /proc is not there. */
export function cpuSeconds(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}
