import { duration } from '../rules/kinds/duration.ts';
import { median, ratios } from './label-figures.ts';
import type { BacktestOutcome } from './run.ts';

/** Alarms shown one by one. */
const SHOWN = 20;

/** What a run came to, for the person at the terminal. Times are shown in `timeZone`, those of a recording that starts at 0 as seconds. */
export function describeOutcome(outcome: BacktestOutcome, timeZone: string): string {
  const { rows, judged, warmUp, from, to, episodes, alarms, timeInAlarm, figures, remarks } = outcome;
  const at = clockText(from, timeZone);
  const lines = [
    `${rows} rows, ${warmUp} to learn from, ${judged} judged: ${at(from)} to ${at(to)}`,
    ...remarks.map((remark) => `  note: ${remark}`),
    '',
  ];
  for (const { from: start, to: end, level, fireAt, sentence } of episodes.slice(0, SHOWN)) {
    const length = end === null ? 'to the end' : `to ${at(end)} (${duration(end - start).en})`;
    const stage = level === null ? '' : `  ${level}`;
    const ahead = fireAt === null || fireAt === start ? '' : `, early ${duration(fireAt - start).en} before fire`;
    lines.push(`  ${at(start)} ${length}${stage}${ahead}`, `    ${sentence.en}`);
  }
  if (alarms > SHOWN) lines.push(`  … ${alarms - SHOWN} more`);
  if (alarms > 0) lines.push('');
  const share = to > from ? ` (${percent(timeInAlarm / (to - from))} of the time)` : '';
  lines.push(`alarms         ${alarms}`, `time in alarm  ${duration(timeInAlarm).en}${share}`);
  const ahead = episodes.flatMap(({ from: start, fireAt }) => (fireAt === null ? [] : [fireAt - start]));
  if (ahead.length > 0) lines.push(`early to fire  median ${duration(median(ahead)).en}`);
  if (figures) {
    const { precision, recall, f1, falseAlarmRate, missedAlarmRate } = ratios(figures);
    const { events, seen, falseStarts, delays, leads } = figures;
    lines.push(
      `precision ${fraction(precision)}  recall ${fraction(recall)}  F1 ${fraction(f1)}  false alarm rate ${percent(falseAlarmRate)}  missed alarm rate ${percent(missedAlarmRate)}`,
      `events seen    ${seen} of ${events}`,
      `false starts   ${falseStarts}`,
    );
    if (delays.length > 0)
      lines.push(`delay          median ${duration(median(delays)).en}, longest ${duration(Math.max(...delays)).en}`);
    if (leads.length > 0)
      lines.push(`lead time      median ${duration(median(leads)).en}, in ${leads.length} of ${events} events`);
  }
  return lines.join('\n');
}

/** A recording that counts from its own beginning has no dates worth showing. */
function clockText(from: number, timeZone: string): (time: number) => string {
  if (Math.abs(from) < 366 * 86_400_000) return (time) => `${Number((time / 1000).toFixed(3))} s`;
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (time) => format.format(time);
}

function percent(share: number): string {
  return Number.isNaN(share) ? 'none' : `${(100 * share).toFixed(2)} %`;
}

function fraction(value: number): string {
  return Number.isNaN(value) ? 'none' : value.toFixed(3);
}
