import { checkEvent, type EventItem } from './check.ts';
import { jsonOf } from './payload.ts';
import type { Problems } from './problems.ts';

/** The event a message declares, or null; what is bad is added to `problems`. */
export function decodeEvent(text: string | null, problems: Problems): EventItem | null {
  const json = jsonOf(text, problems);
  return json === undefined ? null : checkEvent(json, problems);
}
