/**
 * What a deviation of `z` standard deviations is worth when the standard deviation was estimated from few independent samples: the normal
 * score of the same tail probability of Student's t with `freedom` degrees of freedom (approximation of D. L. Wallace, 1959).
 */
export function studentScore(z: number, freedom: number): number {
  return Math.sqrt(freedom * Math.log1p((z * z) / freedom)) * wallace(freedom);
}

/** The deviation that is worth `score`: the inverse of `studentScore`. */
export function studentDeviation(score: number, freedom: number): number {
  const root = score / wallace(freedom);
  return Math.sqrt(freedom * Math.expm1((root * root) / freedom));
}

function wallace(freedom: number): number {
  return (8 * freedom + 1) / (8 * freedom + 3);
}
