import { TOPIC_ROOT } from '@smart-fire/core';

/**
 * Which devices' messages any client may want, so that all others never go through Aedes' emitter. Says yes too often rather
 * than too seldom: a filter counts for its whole device, and one outside a device's subtree (open brokers) for everything.
 */
export class Interest {
  readonly #filters = new Map<string, Set<string>>();
  /** Filters by device, or by '' for those that are not within one device. */
  readonly #count = new Map<string, number>();

  add(client: string, filter: string): void {
    const device = deviceOf(filter);
    const filters = this.#filters.get(client) ?? new Set<string>();
    if (device === null || filters.has(filter)) return;
    this.#filters.set(client, filters.add(filter));
    this.#count.set(device, (this.#count.get(device) ?? 0) + 1);
  }

  remove(client: string, filter: string): void {
    const filters = this.#filters.get(client);
    const device = deviceOf(filter);
    if (device === null || !filters?.delete(filter)) return;
    if (filters.size === 0) this.#filters.delete(client);
    const left = this.#count.get(device)! - 1;
    if (left > 0) this.#count.set(device, left);
    else this.#count.delete(device);
  }

  /** The client's session has ended. */
  forget(client: string): void {
    for (const filter of [...(this.#filters.get(client) ?? [])]) this.remove(client, filter);
  }

  in(device: string): boolean {
    return this.#count.size > 0 && (this.#count.has(device) || this.#count.has(''));
  }
}

/** null: a filter that only commands match, which devices do not send. */
function deviceOf(filter: string): string | null {
  if (!filter.startsWith(TOPIC_ROOT)) return '';
  const [device, ...channel] = filter.slice(TOPIC_ROOT.length).split('/');
  if (!device || device === '+' || device === '#') return '';
  return channel.join('/') === 'command' ? null : device;
}
