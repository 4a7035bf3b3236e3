import fc from 'fast-check';

/** Property tests are bounded, and repeatable with the seed that run.ts prints. */
fc.configureGlobal({
  numRuns: Number(process.env.FAST_CHECK_RUNS ?? 100),
  seed: Number(process.env.FAST_CHECK_SEED),
});
