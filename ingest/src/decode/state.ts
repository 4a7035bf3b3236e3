import { checkState } from './check.ts';
import { jsonOf } from './payload.ts';
import type { Problems } from './problems.ts';

/** The device's claim to be online, or null; an empty payload only clears a retained claim. */
export function decodeState(text: string | null, problems: Problems): boolean | null {
  if (text === '') return null;
  const json = jsonOf(text, problems);
  return json === undefined ? null : checkState(json, problems);
}
