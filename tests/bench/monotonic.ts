const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** ms on a clock that all processes of this machine share and that never jumps. */
export const monotonic = (): number => origin + performance.now();
