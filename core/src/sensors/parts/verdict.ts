/** A device's own decision, made after a condition has held for `delay` seconds and withdrawn when it has been gone for `restoreAfter`. */
export interface Verdict {
  readonly active: boolean;
  /** `present` starts it, `gone` ends it; between the two it stays as it is. Returns what the device declares now, if anything new. */
  step(present: boolean, gone: boolean, dt: number): { event: string; detail?: string } | null;
}

export function createVerdict(
  declares: { event: string; restored: string; detail?: string },
  delay: number,
  restoreAfter = 60,
): Verdict {
  let held = 0;
  let active = false;
  return {
    get active() {
      return active;
    },
    step(present, gone, dt) {
      const moving = active ? gone : present;
      held = moving ? held + dt : 0;
      // The first sample of a condition counts as its beginning, not as dt of it: with a delay, two samples are needed.
      if (!moving || held - dt < (active ? restoreAfter : delay)) return null;
      active = !active;
      held = 0;
      if (!active) return { event: declares.restored };
      return declares.detail === undefined
        ? { event: declares.event }
        : { event: declares.event, detail: declares.detail };
    },
  };
}
