import { type Transferable, Worker } from 'node:worker_threads';
import { FireError } from '../errors.ts';
import type { ErrorWords, Handlers, WorkerMessage } from './worker-server.ts';

interface Pending {
  resolve(value: never): void;
  reject(error: Error): void;
}

/** A worker thread that answers calls in call order. Once it has died every call, pending or later, rejects. */
export class WorkerClient<Calls extends Handlers> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #unavailable: (reason: string) => FireError;
  readonly #exited: Promise<void>;
  #lastId = 0;
  #deathReason: string | null = null;
  #ending = false;

  /** `unavailable` words what went wrong without a code of its own; `onNotice` hears what the worker tells unasked. */
  constructor(
    url: URL,
    workerData: unknown,
    {
      unavailable,
      onNotice,
      onDeath,
    }: {
      unavailable: (reason: string) => FireError;
      onNotice?: (notice: never) => void;
      /** It ended though nobody had asked it to. */
      onDeath?: (reason: string) => void;
    },
  ) {
    this.#unavailable = unavailable;
    this.#worker = new Worker(url, { workerData });
    this.#worker.on('message', (message: WorkerMessage) => {
      if ('notice' in message) onNotice?.(message.notice as never);
      else this.#settle(message);
    });
    let cause = 'the worker thread ended';
    this.#worker.on('error', (error) => {
      cause = error instanceof Error ? error.message : String(error);
    });
    this.#exited = new Promise((resolve) =>
      this.#worker.once('exit', () => {
        this.#deathReason = cause;
        for (const { reject } of this.#pending.values()) reject(unavailable(cause));
        this.#pending.clear();
        resolve();
        if (!this.#ending) onDeath?.(cause);
      }),
    );
  }

  get dead(): boolean {
    return this.#deathReason !== null;
  }

  call<Method extends keyof Calls & string>(
    method: Method,
    argument: Parameters<Calls[Method]>[0],
    transfer: Transferable[] = [],
  ): Promise<ReturnType<Calls[Method]>> {
    return new Promise((resolve, reject) => {
      if (this.#deathReason !== null) return reject(this.#unavailable(this.#deathReason));
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, argument }, transfer);
    });
  }

  /** Calls the worker's `close`, which ends it. */
  async close(): Promise<void> {
    if (this.dead) return;
    this.#ending = true;
    await this.call('close', undefined as never);
    await this.#exited;
  }

  /** Ends the worker at once, as a crash would. */
  async terminate(): Promise<void> {
    this.#ending = true;
    await this.#worker.terminate();
    await this.#exited;
  }

  #settle(message: Exclude<WorkerMessage, { notice: unknown }>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if ('value' in message) pending?.resolve(message.value as never);
    else pending?.reject(errorFrom(message.error, this.#unavailable));
  }
}

/** The error a worker told; `unavailable` words one without a code of its own. */
export function errorFrom(words: ErrorWords, unavailable: (reason: string) => FireError): FireError {
  return 'code' in words ? new FireError(words.code, words.params) : unavailable(words.message);
}
