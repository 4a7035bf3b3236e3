import { CLOCK_WINDOW, FLAG } from '@smart-fire/core';

/** True when the device's own time may be believed: within [receivedAt − 30 days, receivedAt + 5 min]. No skew is guessed. */
function isTrusted(deviceTime: number, receivedAt: number): boolean {
  return deviceTime >= receivedAt - CLOCK_WINDOW.past && deviceTime <= receivedAt + CLOCK_WINDOW.future;
}

/** The flag that says why a time is ours: the device sent none, or one outside the window. 0 when it is the device's own. */
export function clockFlag(deviceTime: number | null, receivedAt: number): number {
  if (deviceTime === null) return FLAG.untimed;
  return isTrusted(deviceTime, receivedAt) ? 0 : FLAG.clock;
}

/** A receive time made unique within its series: 1 ms after the series' last time where that is not earlier (NaN = none yet). */
export function uniqueTime(receivedAt: number, lastTime: number): number {
  return lastTime >= receivedAt ? lastTime + 1 : receivedAt;
}
