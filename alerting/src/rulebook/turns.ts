/** Runs what it is given one after the other, in order; what fails stands in nobody's way. */
export function createTurns() {
  let last: Promise<unknown> = Promise.resolve();
  let unfinished = 0;
  return {
    /** Running and waiting. */
    count: () => unfinished,
    take<T>(work: () => Promise<T>): Promise<T> {
      unfinished++;
      const result = last.then(work).finally(() => unfinished--);
      last = result.catch(() => undefined);
      return result;
    },
    /** Everything taken until now is over. */
    over: () => last.then(() => undefined),
  };
}
