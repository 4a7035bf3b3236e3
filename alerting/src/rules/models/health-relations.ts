/**
 * Which metrics move together, and how far each is from where its fellows let it be expected: the regression of every metric on the others,
 * from their covariance about their levels. A relation counts only where it is proved: where, for the number of independent samples
 * behind it, the fellows explain more than half of a metric's variance; otherwise the metric's own limits see as much.
 */

const PROVED = 0.5;

export interface Relations {
  /** Numbers of metrics. */
  size: number;
  /** Covariance about the levels, row by row (size²), in place. */
  covariance: Float64Array;
  /** Row j: what metric j is expected to be off by, for each unit that its fellows are off (0 on the diagonal); all 0 = no proved relation. */
  weights: Float64Array;
  /** Variance of what is left of metric j; 0 = no proved relation. */
  variances: Float64Array;
}

/** Takes deviations from the levels (`weight` = share of this row in the memory). */
export function relate({ size, covariance }: Relations, off: Float64Array, weight: number): void {
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      covariance[i * size + j]! += (off[i]! * off[j]! - covariance[i * size + j]!) * weight;
}

/** Finds the relations. `samples` = independent samples behind the covariance, by metric; 0 = a metric without a level takes no part. */
export function findRelations({ size, covariance, weights, variances }: Relations, samples: Float64Array): void {
  weights.fill(0);
  variances.fill(0);
  const part: number[] = [];
  for (let i = 0; i < size; i++) if (samples[i]! > 0 && covariance[i * size + i]! > 0) part.push(i);
  const fellows = part.length - 1;
  if (fellows < 1) return;
  for (const j of part) {
    let count = Infinity;
    for (const i of part) count = Math.min(count, samples[i]!);
    if (count <= fellows + 2) continue;
    const others = part.filter((i) => i !== j);
    const solved = regress(covariance, size, j, others, fellows / (fellows + count));
    const own = covariance[j * size + j]!;
    let rest = own;
    for (let a = 0; a < others.length; a++) {
      rest -= 2 * solved[a]! * covariance[j * size + others[a]!]!;
      for (let b = 0; b < others.length; b++)
        rest += solved[a]! * solved[b]! * covariance[others[a]! * size + others[b]!]!;
    }
    const unexplained = (Math.max(0, rest) / own) * ((count - 1) / (count - fellows - 1));
    if (!(unexplained < 1 - PROVED)) continue;
    for (let a = 0; a < others.length; a++) weights[j * size + others[a]!] = solved[a]!;
    variances[j] = unexplained * own;
  }
}

/** Ridge regression (`shrink` of each fellow's own variance) by Gauss-Jordan elimination; the matrix is positive definite by its ridge. */
function regress(
  covariance: Float64Array,
  size: number,
  j: number,
  others: readonly number[],
  shrink: number,
): number[] {
  const rows = others.map((a) => [
    ...others.map((b) => covariance[a * size + b]! * (a === b ? 1 + shrink : 1)),
    covariance[a * size + j]!,
  ]);
  const count = others.length;
  for (let pivot = 0; pivot < count; pivot++) {
    const row = rows[pivot]!;
    const scale = row[pivot]!;
    for (let k = pivot; k <= count; k++) row[k]! /= scale;
    for (let r = 0; r < count; r++) {
      const factor = rows[r]![pivot]!;
      if (r === pivot || factor === 0) continue;
      for (let k = pivot; k <= count; k++) rows[r]![k]! -= factor * row[k]!;
    }
  }
  return rows.map((row) => row[count]!);
}
