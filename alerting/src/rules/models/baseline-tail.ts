/** ln of the upper tail of the standard normal, z ≥ 0, to 1 % (Boyd 1959's bound on Mills' ratio). */
export function lnNormalTail(z: number): number {
  return -0.5 * z * z - 0.9189385332046727 - Math.log((1 - 1 / Math.PI) * z + Math.sqrt(z * z + 2 * Math.PI) / Math.PI);
}

/** ln P(T > t) of Student's t with `freedom` degrees, t ≥ 0, through Wallace's (1959) normal deviate; errs to the careful side far out. */
export function lnStudentTail(t: number, freedom: number): number {
  const z = ((8 * freedom + 1) / (8 * freedom + 3)) * Math.sqrt(freedom * Math.log1p((t * t) / freedom));
  return lnNormalTail(z);
}

/** The t whose tail is `lnTail` (< ln 0.5): where a limit lies in units of the scale. */
export function studentQuantile(lnTail: number, freedom: number): number {
  let low = 0;
  let high = 1;
  while (lnStudentTail(high, freedom) > lnTail && high < 1e9) high *= 2;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (lnStudentTail(middle, freedom) > lnTail) low = middle;
    else high = middle;
  }
  return high;
}
