/** One line of the score: what was measured, what it came to, what it should come to. */
export interface ScoreLine {
  what: string;
  value: string;
  goal: string;
  /** null = there is no goal, or it could not be measured. */
  reached: boolean | null;
}

export interface ScoreContext {
  /** Folder of recordings (SMARTFIRE_RECORDINGS). */
  folder: string;
  /** A shorter county, for a look in between. */
  quick: boolean;
  /** A line above the table: what was wrong where. */
  say(line: string): void;
}

/** Measures one group of lines; rejects when the recordings it needs are not there. */
export type Score = (context: ScoreContext) => Promise<ScoreLine[]>;

/** The table, columns aligned. */
export function scoreTable(groups: readonly { name: string; lines: readonly ScoreLine[] }[]): string {
  const rows = [['', 'measured', 'goal', '']];
  for (const { name, lines } of groups) {
    rows.push([name, '', '', '']);
    for (const { what, value, goal, reached } of lines)
      rows.push([`  ${what}`, value, goal, reached === null ? '' : reached ? 'reached' : 'MISSED']);
  }
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
