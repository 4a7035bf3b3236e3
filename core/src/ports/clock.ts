/** The only source of time and timers, so that tests can own both. */
export interface Clock {
  /** ms since the epoch, our own clock. */
  now(): number;
  setTimeout(callback: () => void, ms: number): Timer;
  setInterval(callback: () => void, ms: number): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Everything that runs has these two; nothing does I/O before `start`. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}
