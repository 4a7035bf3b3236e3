import type { Peer } from '../peers/peer.ts';

/** One measured figure. A figure that could not be measured has no value but a reason. */
export interface Figure {
  key: string;
  what: string;
  unit: string;
  value: number | null;
  samples: number[];
  /** What it must reach and aims at, where that was promised; `atLeast` tells the direction. */
  target?: { must: number; aim: number; atLeast: boolean };
  why?: string;
}

export interface BenchContext {
  quick: boolean;
  /** Started once for the whole run. */
  peers: { ours: Peer & { url: string; token: string }; aedes: Peer; mosquitto: Peer | null };
  say(line: string): void;
}

export function median(samples: number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

export function percentile(samples: number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
