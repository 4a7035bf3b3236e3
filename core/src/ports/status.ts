import type { Metric } from '../model/metrics.ts';

/** The last value of one series. */
export interface LastValue {
  point: string;
  metric: Metric;
  value: number;
  time: number;
  receivedAt: number;
  flags: number;
}

/**
 * Honest state of a device. `normal` needs recent evidence; a device that is silent longer than its kind's expected interval allows
 * (or was never heard) is `unknown` since `since`.
 */
export type DeviceCondition = 'normal' | 'alarm' | 'early-warning' | 'supervisory' | 'fault' | 'disabled' | 'unknown';

/** What the platform knows of a device by itself (alarms excluded: those are the book's). */
export interface DeviceStatus {
  device: string;
  /** Whether the broker holds a connection of it (for a child behind a gateway: of its gateway). */
  connected: boolean;
  /** The device's own claim on its `state` topic, null when it never made one. */
  claimsOnline: boolean | null;
  /** Our clock at the last valid reading or event; null = never heard. */
  lastSeenAt: number | null;
  /** Silent for longer than allowed: unknown since then (ms UTC); null while there is recent evidence. */
  unknownSince: number | null;
  values: LastValue[];
}

/** A message as it came, for the installer who asks what the device really sent. */
export interface RawMessage {
  receivedAt: number;
  topic: string;
  payload: string;
  encoding: 'utf8' | 'base64';
  qos: number;
  /** accepted, duplicate, or partly/wholly refused with this code. */
  outcome: string;
}

/** What ingest knows and the console shows. */
export interface DeviceStatusSource {
  status(device: string): DeviceStatus;
  /** Newest first, at most 50. */
  raw(device: string): RawMessage[];
  /** Called with devices whose status or values changed, coalesced (at most a few times a second). */
  onChange(listener: (devices: ReadonlySet<string>) => void): () => void;
}

/** One part of the platform that can be degraded. Shown by /readyz, /metrics and the console. */
export interface HealthItem {
  /** journal, readings, state, broker… */
  part: string;
  /** ok; degraded = works with a loss the sentence names; failed = PUBACKs cannot be given or alarms not raised. */
  level: 'ok' | 'degraded' | 'failed';
  since: number;
  sentence: { zh: string; en: string };
  /** Figures worth showing: lag (entries), bytes, rate per second… */
  figures: Record<string, number>;
}

export interface HealthSource {
  health(): HealthItem[];
}
