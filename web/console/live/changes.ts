/**
 * Gathers patches and hands them on once per frame: thousands in a burst cost one rendering. The latest value of an id wins.
 * `schedule` runs the callback soon (a frame, or a short timer where no frames are drawn).
 */
export function createChanges<T>(
  schedule: (callback: () => void) => void,
  flush: (changes: ReadonlyMap<string, T>) => void,
) {
  let pending = new Map<string, T>();
  return {
    put(id: string, value: T): void {
      if (pending.size === 0) schedule(run);
      // Put last what changed last.
      pending.delete(id);
      pending.set(id, value);
    },
    /** Forgets what has not been handed on: a snapshot replaces it. */
    clear(): void {
      pending = new Map();
    },
  };

  function run(): void {
    const changes = pending;
    pending = new Map();
    if (changes.size > 0) flush(changes);
  }
}

/** The next frame; a hidden page draws none, so there a timer. */
export function nextFrame(callback: () => void): void {
  if (document.hidden) setTimeout(callback, 250);
  else {
    // Whichever comes first: the page may be hidden while we wait.
    let done = false;
    const once = () => {
      if (done) return;
      done = true;
      callback();
    };
    requestAnimationFrame(once);
    setTimeout(once, 250);
  }
}
