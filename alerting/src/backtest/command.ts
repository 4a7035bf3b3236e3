import { statSync } from 'node:fs';
import { FireError, type ReadingsStore, type Registry, type Rule, type SeriesRow } from '@smart-fire/core';
import { z } from 'zod';
import { bindMetrics, unboundMetrics } from './bind-metrics.ts';
import { openCsv } from './csv-source.ts';
import { historyPlace } from './history-place.ts';
import { openHistory } from './history-source.ts';
import { recordingZone } from './recording-zone.ts';
import { describeOutcome } from './report.ts';
import { createRowsFile } from './rows-file.ts';
import { findRule } from './rule-source.ts';
import { type BacktestOutcome, runBacktest, type WarmUp } from './run.ts';
import type { BacktestSource } from './source.ts';

/** Options of `smart-fire backtest`, as commander gives them. */
const options = z
  .object({
    rule: z.string().min(1),
    csv: z.string().min(1).optional(),
    time: z.string().min(1).optional(),
    values: z.string().min(1).optional(),
    label: z.string().min(1).optional(),
    warmup: z
      .string()
      .regex(/^\d+(\.\d+)?%$|^\d+$/, 'give a number of rows such as 400, or a share such as 15%')
      .transform(
        (text): WarmUp => (text.endsWith('%') ? { share: Number(text.slice(0, -1)) / 100 } : { rows: Number(text) }),
      )
      .optional(),
    out: z.string().min(1).optional(),
    device: z.string().min(1).optional(),
    from: z.number().optional(),
    to: z.number().optional(),
  })
  .superRefine((given, context) => {
    const complain = (message: string) => context.addIssue({ code: 'custom', message });
    if ((given.csv === undefined) === (given.device === undefined))
      complain('give either --csv FILE (a recording) or --device ID (stored history)');
    if (given.csv !== undefined && (given.time === undefined || given.values === undefined))
      complain('--csv needs --time COLUMN and --values COLUMN[=metric],…');
    if (given.device !== undefined && (given.from === undefined || given.to === undefined))
      complain('--device needs --from and --to');
  });

/** Readings, with every series that the journal has numbered. */
export interface History {
  readings: ReadingsStore;
  series: readonly SeriesRow[];
}

export interface BacktestDeps {
  timeZone: string;
  /** The rule people made under this id; null when there is none. */
  ownRule: (id: string) => Promise<Rule | null>;
  /** Opened when it is asked for; stays open until the command ends. */
  history: () => Promise<History & { registry: Registry }>;
  onProgress?: (share: number) => void;
}

/** `smart-fire backtest`: the text for the person. Rejects with a FireError when it could not be run; what was found is no error. */
export async function backtestCommand(raw: unknown, deps: BacktestDeps): Promise<string> {
  const { outcome } = await backtest(raw, deps);
  return describeOutcome(outcome, deps.timeZone);
}

/** The same for programs. */
export async function backtest(raw: unknown, deps: BacktestDeps): Promise<{ outcome: BacktestOutcome; rule: Rule }> {
  const parsed = options.safeParse(raw);
  if (!parsed.success)
    throw new FireError('FIRE_REQUEST_INVALID', {
      problems: parsed.error.issues
        .map(({ path, message }) => (path.length > 0 ? `--${path.join('.')}: ${message}` : message))
        .join('; '),
    });
  const given = parsed.data;
  for (const input of ['csv', 'rule'] as const)
    if (isSameFile(given.out, given[input]))
      throw new FireError('FIRE_REQUEST_INVALID', { problems: `--out is the file of --${input}: choose another` });
  const rule = await findRule(given.rule, deps.ownRule);
  const { source, registry, found } = await materialOf(given, rule, deps);
  const rules = bindMetrics(rule, found);
  const file = given.out === undefined ? null : createRowsFile(given.out);
  const run = () =>
    runBacktest({
      ...{ rules, source, registry, timeZone: deps.timeZone },
      warmUp: given.warmup ?? { rows: warmUpOf(rule) },
      ...(file && { onRow: ({ cell, alarm, level, score }) => file.add(cell, alarm, level, score) }),
      ...(deps.onProgress && { onProgress: deps.onProgress }),
    });
  let outcome: BacktestOutcome;
  try {
    outcome = await run();
  } catch (error) {
    // The first error is the one to tell of.
    await file?.close().catch(() => undefined);
    throw error;
  }
  await file?.close();
  outcome.remarks.unshift(...unboundMetrics(rules, found, given.csv !== undefined));
  return { outcome, rule };
}

async function materialOf(
  given: z.output<typeof options>,
  rule: Rule,
  deps: BacktestDeps,
): Promise<{ source: BacktestSource; registry: Registry; found: string[] }> {
  if (given.csv !== undefined) {
    const source = await openCsv(
      given.csv,
      { time: given.time!, values: given.values!, label: given.label },
      deps.timeZone,
    );
    const found = source.series.map(({ metric }) => metric);
    return { source, found, registry: recordingZone(source.series, rule.scope.kinds?.[0] ?? 'heat-detector') };
  }
  const { registry, readings, series } = await deps.history();
  const place = historyPlace(rule, given.device!, registry, series);
  return { ...place, source: openHistory(readings, place.series, { from: given.from!, to: given.to! }) };
}

/** False when one of them is not there. */
function isSameFile(a: string | undefined, b: string | undefined): boolean {
  const [one, other] = [a, b].map((file) => file && statSync(file, { throwIfNoEntry: false }));
  return !!one && !!other && one.ino === other.ino && one.dev === other.dev;
}

/** Rows that a learned kind wants to learn from; 0 for all others. */
export function warmUpOf({ definition }: Rule): number {
  return typeof definition.warmUp === 'number' ? definition.warmUp : 0;
}
