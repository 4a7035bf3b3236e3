import type { DeviceStatus, DeviceStatusSource, RawMessage } from '@smart-fire/core';

/** Device statuses that a test sets. */
export class FakeStatus implements DeviceStatusSource {
  readonly #statuses = new Map<string, DeviceStatus>();
  readonly #listeners = new Set<(devices: ReadonlySet<string>) => void>();
  readonly messages: RawMessage[] = [];

  set(device: string, status: Partial<DeviceStatus>): void {
    this.#statuses.set(device, { ...this.status(device), ...status });
    for (const listener of this.#listeners) listener(new Set([device]));
  }

  status(device: string): DeviceStatus {
    const never = { connected: false, claimsOnline: null, lastSeenAt: null, unknownSince: null, values: [] };
    return this.#statuses.get(device) ?? { device, ...never };
  }

  raw(): RawMessage[] {
    return this.messages;
  }

  onChange(listener: (devices: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
