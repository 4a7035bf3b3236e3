/** Whose devices' statuses consoles show. Of the others, which change thousands of times a second, nobody need be told. */
export class Watched {
  /** By device: how many consoles watch it by name. */
  readonly #counts = new Map<string, number>();
  /** Consoles that watch every device they may see. */
  #everything = 0;

  has(device: string): boolean {
    return this.#everything > 0 || this.#counts.has(device);
  }

  get everything(): boolean {
    return this.#everything > 0;
  }

  /** `watch`: ids, each once; null = every device. */
  add(watch: readonly string[] | null): void {
    if (watch === null) this.#everything++;
    else for (const id of watch) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  drop(watch: readonly string[] | null): void {
    if (watch === null) this.#everything--;
    else
      for (const id of watch) {
        const left = this.#counts.get(id)! - 1;
        if (left > 0) this.#counts.set(id, left);
        else this.#counts.delete(id);
      }
  }
}
