/** Has something to write. */
export interface Writer {
  depart(): void;
}

/** Those who have something to write in this turn of the event loop: one call for all of them, behind what goes on. */
export class Departures {
  #writers: Writer[] = [];

  add(writer: Writer): void {
    if (this.#writers.push(writer) === 1) queueMicrotask(() => this.#depart());
  }

  #depart(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const writer of writers) writer.depart();
  }
}
