import { type Device, type Maintenance, type Registry, scopeHas, type WithheldReason } from '@smart-fire/core';
import type { Variant } from './live-rule.ts';
import { Schedules } from './schedule.ts';

/** Why a raise is no alarm now, and until when that is so at least (ms UTC). */
export interface Withheld {
  why: WithheldReason;
  maintenance: string | null;
  until: number;
}

/** Announced maintenance and schedules, judged by the entries' own time. Nothing graver than a warning is asked about: a fire is never withheld. */
export class Withholding {
  /** When to look at what is withheld again; Infinity = nothing is. */
  boundary = Infinity;
  readonly #registry: Registry;
  readonly #schedules: Schedules;
  #windows: readonly Maintenance[] = [];

  constructor(registry: Registry, timeZone: string) {
    this.#registry = registry;
    this.#schedules = new Schedules(timeZone);
  }

  setMaintenance(windows: readonly Maintenance[]): void {
    this.#windows = windows;
  }

  /** null = it may be raised. Of several windows the one that ends last. */
  why(variant: Variant, device: Device, at: number): Withheld | null {
    const window = this.#windowOf(device, at);
    if (window) return { why: 'maintenance', maintenance: window.id, until: window.to };
    if (variant.schedule === null || this.#schedules.isOpen(variant.schedule, at)) return null;
    return { why: 'schedule', maintenance: null, until: this.#schedules.lookAgain(at) };
  }

  /** False when no window is known, so that nobody need be asked about. */
  get announced(): boolean {
    return this.#windows.length > 0;
  }

  inMaintenance(device: Device, at: number): boolean {
    return this.#windowOf(device, at) !== null;
  }

  #windowOf(device: Device, at: number): Maintenance | null {
    let found: Maintenance | null = null;
    for (const window of this.#windows)
      if (at >= window.from && at < window.to && (found === null || window.to > found.to))
        if (scopeHas(window.scope, device, this.#registry)) found = window;
    return found;
  }
}
