import type { DeadLetter, DeadLetterCode } from '@smart-fire/core';
import { REFUSALS } from './schema.ts';

/** Problems described per message; the rest is counted, so that a hostile payload costs no more than a good one. */
const DESCRIBED_MAX = 20;
const PATH_MAX = 100;

/** What was wrong with one message. */
export class Problems {
  readonly #list: DeadLetter['problems'] = [];
  count = 0;

  /** @param path below the item, such as `values.temperature`; the item's index is put in front of it */
  add(code: DeadLetterCode, index: number | null, path: string, detail: string = REFUSALS[code]): void {
    this.count++;
    if (this.#list.length >= DESCRIBED_MAX) return;
    const full = index === null ? path : path ? `[${index}].${path}` : `[${index}]`;
    this.#list.push({ code, index, path: full.slice(0, PATH_MAX), detail });
  }

  /** The first problem's code. */
  get code(): DeadLetterCode | null {
    return this.#list[0]?.code ?? null;
  }

  /** The first of them, and how many more there are. */
  described(): DeadLetter['problems'] {
    const more = this.count - this.#list.length;
    const last = this.#list.at(-1);
    if (more === 0 || !last) return this.#list;
    return [...this.#list.slice(0, -1), { ...last, detail: `${last.detail}; and ${more} more` }];
  }
}
