/** ms on a clock that all processes of this machine share and that never jumps. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;
