/** ln of the upper tail of the standard normal, z ≥ 0, to 1 % (Boyd 1959's bound on Mills' ratio). */
function lnNormalTail(z: number): number {
  return -0.5 * z * z - 0.9189385332046727 - Math.log((1 - 1 / Math.PI) * z + Math.sqrt(z * z + 2 * Math.PI) / Math.PI);
}

/** ln P(T > t) of Student's t with `freedom` degrees, t ≥ 0, through Wallace's (1959) normal deviate; errs to the careful side far out. */
export function lnStudentTail(t: number, freedom: number): number {
  const z = ((8 * freedom + 1) / (8 * freedom + 3)) * Math.sqrt(freedom * Math.log1p((t * t) / freedom));
  return lnNormalTail(z);
}
