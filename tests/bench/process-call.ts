import { type ChildProcess, fork } from 'node:child_process';

/** A process of the bench's own with functions to call: what it does is not mistaken for the server's work, nor the other way round. */
export interface CalledProcess<Functions extends ProcessFunctions> {
  pid: number;
  call<Name extends keyof Functions & string>(
    name: Name,
    argument: Parameters<Functions[Name]>[0],
  ): Promise<Awaited<ReturnType<Functions[Name]>>>;
  stop(): void;
}

// biome-ignore lint/suspicious/noExplicitAny: each function names its own argument and result.
type ProcessFunctions = Record<string, (argument: any) => unknown>;

interface Question {
  id: number;
  name: string;
  argument: unknown;
}

type Answer = { id: number; result: unknown } | { id: number; error: string };

/** Starts `file`, which must call `answerCalls`. A call rejects with the words of what was thrown there, or when the process ends. */
export function startProcess<Functions extends ProcessFunctions>(
  file: URL,
  execArgv: string[] = [],
): CalledProcess<Functions> {
  const child: ChildProcess = fork(file, { serialization: 'advanced', execArgv });
  const waiting = new Map<number, { done: (result: unknown) => void; fail: (error: Error) => void }>();
  let calls = 0;
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.on('message', (answer: Answer) => {
    const { done, fail } = waiting.get(answer.id)!;
    waiting.delete(answer.id);
    if ('error' in answer) fail(new Error(answer.error));
    else done(answer.result);
  });
  child.once('exit', (code, signal) => {
    process.off('exit', kill);
    for (const { fail } of waiting.values()) fail(new Error(`${file.pathname} ended with ${code ?? signal}`));
    waiting.clear();
  });
  return {
    pid: child.pid!,
    call: (name, argument) =>
      new Promise((done, fail) => {
        const id = calls++;
        waiting.set(id, { done: done as (result: unknown) => void, fail });
        child.send({ id, name, argument } satisfies Question);
      }),
    stop: kill,
  };
}

/** The other side: answers calls until the process is ended. */
export function answerCalls(functions: ProcessFunctions): void {
  process.on('message', ({ id, name, argument }: Question) => {
    const answer = (message: Answer) => process.send!(message);
    Promise.resolve()
      .then(() => functions[name]!(argument))
      .then(
        (result) => answer({ id, result }),
        (error: unknown) =>
          answer({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
}
