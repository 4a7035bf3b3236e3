import { parentPort } from 'node:worker_threads';
import { type ErrorCode, FireError } from '../errors.ts';
import { stepBehindMain } from './thread-priority.ts';

/** Calls a worker answers. `transfer` takes buffers of the result that are handed over instead of copied. */
export type Handlers = Record<string, (argument: never, transfer: ArrayBuffer[]) => unknown>;

export type WorkerRequest = { id: number; method: string; argument: unknown };
/** An error as it crosses threads. */
export type ErrorWords = { code: ErrorCode; params: Record<string, unknown> } | { message: string };
export type WorkerMessage = { id: number; value: unknown } | { id: number; error: ErrorWords } | { notice: unknown };

/** Answers calls of a WorkerClient one after the other, in order. Returns how to tell the client something unasked. */
export function serve(handlers: Handlers): (notice: unknown) => void {
  stepBehindMain();
  const port = parentPort!;
  port.on('message', ({ id, method, argument }: WorkerRequest) => {
    const transfer: ArrayBuffer[] = [];
    try {
      const value = handlers[method]!(argument as never, transfer);
      port.postMessage({ id, value } satisfies WorkerMessage, transfer);
    } catch (error) {
      port.postMessage({ id, error: wordsOf(error) } satisfies WorkerMessage);
    }
    if (method === 'close') port.close();
  });
  return (notice) => port.postMessage({ notice } satisfies WorkerMessage);
}

export function wordsOf(error: unknown): ErrorWords {
  return error instanceof FireError
    ? { code: error.code, params: error.params }
    : { message: (error as Error).message };
}
