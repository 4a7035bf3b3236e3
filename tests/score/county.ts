import { Worker } from 'node:worker_threads';
import { runScenarios } from './county-scenarios.ts';
import type { QuietReport, QuietWork } from './county-worker.ts';
import type { Score, ScoreLine } from './table.ts';

const DEVICES = 500;
const DAYS = { full: 365, quick: 3 };
/** 1 January 2027, 00:00 in Shanghai. */
const NEW_YEAR = Date.UTC(2026, 11, 31, 16);
const WORKERS = 2;
const GOAL = 1;

/** A simulated county under all presets: how long before the accident a warning comes, and how often one comes for nothing. */
export const scoreCounty: Score = async ({ quick, say }) => {
  const lines: ScoreLine[] = runScenarios().map(({ scenario, what, leads, first }) => {
    const came = leads.filter((lead) => !Number.isNaN(lead)).sort((a, b) => a - b);
    for (const [rule, times] of first) say(`${scenario}: warned first by ${rule} (${times} of ${leads.length})`);
    const middle = came[came.length >> 1];
    return {
      what: `${scenario}: warning before ${what}`,
      value:
        middle === undefined
          ? 'no warning'
          : `${span(middle)} (shortest ${span(came[0]!)}), ${came.length} of ${leads.length}`,
      goal: 'before it, always',
      reached: came.length === leads.length && came[0]! > 0,
    };
  });
  const days = quick ? DAYS.quick : DAYS.full;
  const began = performance.now();
  const quiet = await quietCounty(days);
  const seconds = (performance.now() - began) / 1000;
  for (const [rule, months] of Object.entries(quiet.early))
    say(`false early warnings of ${rule} by month: ${months.join(' ')}`);
  for (const [rule, examples] of Object.entries(quiet.examples))
    for (const example of examples) say(`  ${rule}: ${example}`);
  for (const [rule, count] of Object.entries(quiet.other)) say(`other alarms in the quiet county: ${rule} ${count}`);
  for (const error of quiet.errors) say(error);
  const count = Object.values(quiet.early)
    .flat()
    .reduce((sum, month) => sum + month, 0);
  const rate = (1000 * count) / quiet.deviceDays;
  lines.push(
    {
      what: `false early warnings per 1,000 device-days (${DEVICES} devices, ${days} days)`,
      value: `${rate.toFixed(3)} (${count})`,
      goal: `< ${GOAL}`,
      reached: rate < GOAL,
    },
    {
      what: 'readings judged',
      value: `${(quiet.readings / 1e6).toFixed(1)} million in ${seconds.toFixed(0)} s, ${(quiet.readings / seconds / 1e6).toFixed(2)} million/s`,
      goal: '',
      reached: null,
    },
  );
  return lines;
};

/** All shares of the county, each in a thread; progress on a terminal. */
async function quietCounty(days: number): Promise<QuietReport> {
  const reports = new Map<number, QuietReport>();
  const show = () => {
    if (!process.stderr.isTTY) return;
    const slowest = Math.min(...Array.from({ length: WORKERS }, (_, share) => reports.get(share)?.day ?? 0));
    process.stderr.write(`\r\x1b[Kquiet county: day ${slowest} of ${days}`);
  };
  await Promise.all(
    Array.from({ length: WORKERS }, (_, share) => {
      const work: QuietWork = { devices: DEVICES, days, from: NEW_YEAR, share, of: WORKERS };
      return new Promise<void>((resolve, reject) => {
        const worker = new Worker(new URL('./county-worker.ts', import.meta.url), { workerData: work });
        worker.on('message', (report: QuietReport) => {
          reports.set(share, report);
          show();
        });
        worker.on('error', reject);
        worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`worker ended with ${code}`))));
      });
    }),
  );
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return merge([...reports.values()]);
}

function merge(reports: QuietReport[]): QuietReport {
  const all: QuietReport = { day: 0, readings: 0, deviceDays: 0, early: {}, other: {}, examples: {}, errors: [] };
  for (const { day, readings, deviceDays, early, other, examples, errors } of reports) {
    all.day = Math.max(all.day, day);
    all.readings += readings;
    all.deviceDays += deviceDays;
    for (const [rule, months] of Object.entries(early))
      all.early[rule] = months.map((month, at) => month + (all.early[rule]?.[at] ?? 0));
    for (const [rule, count] of Object.entries(other)) all.other[rule] = (all.other[rule] ?? 0) + count;
    for (const [rule, lines] of Object.entries(examples))
      all.examples[rule] = [...(all.examples[rule] ?? []), ...lines].slice(0, 3);
    all.errors.push(...errors);
  }
  return all;
}

function span(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 2) return `${Math.round(ms / 1000)} s`;
  return minutes < 120 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}
