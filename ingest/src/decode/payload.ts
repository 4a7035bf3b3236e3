import { isAscii, isUtf8 } from 'node:buffer';
import type { Problems } from './problems.ts';

/** The payload's text, or null when it is no UTF-8. */
export function textOf(payload: Buffer): string | null {
  // Latin-1 is the cheaper copy, and the same thing while no byte is above 0x7f.
  if (isAscii(payload)) return payload.toString('latin1');
  return isUtf8(payload) ? payload.toString('utf8') : null;
}

/** The JSON value of a payload's text; undefined, and a problem, when there is none. */
export function jsonOf(text: string | null, problems: Problems): unknown {
  if (text === null) {
    problems.add('NOT_UTF8', null, '');
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    problems.add('NOT_JSON', null, '', (error as Error).message.slice(0, 200));
    return undefined;
  }
}
