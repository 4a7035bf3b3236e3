import type { Peers } from '../peers/peers.ts';

/** One measured figure. A figure that could not be measured has no value but a reason. */
export interface Figure {
  key: string;
  value: number | null;
  /** One a round. */
  samples: number[];
  why?: string;
}

export interface BenchContext {
  /** Fewer and shorter rounds. */
  quick: boolean;
  /** Whether this promised figure was asked for: a group may leave out what is not. */
  wants(key: string): boolean;
  peers: Peers;
  say(line: string): void;
}

/** Figures that are measured together: `keys` are those that it promises, `measure` may give further ones. */
export interface FigureGroup {
  keys: readonly string[];
  /** Of these, the ones of a quick run; none = left out of it. */
  quick: readonly string[];
  measure(context: BenchContext): Promise<Figure[]>;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const figure = (key: string, samples: number[]): Figure => ({ key, value: median(samples), samples });

export const notMeasured = (key: string, why: string): Figure => ({ key, value: null, samples: [], why });

/** The words of an error, one line. */
export const reason = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!.replace(/^(Error: )+/, '');
