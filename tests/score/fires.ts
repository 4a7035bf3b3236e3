import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { backtest } from '@smart-fire/alerting';
import { parse } from 'csv-parse/sync';
import type { Score, ScoreLine } from './table.ts';

/** °C at the ceiling by which fire must have been called. */
const HOT = 57;
/** s after the first ionisation alarm of the house by which an early warning must have come. */
const GRACE = 5;
/** The recordings' optical density (1/m) in dB/m, and % by volume in ppm. */
const DECIBEL = 10;
const PPM = 10_000;

type Row = Record<string, string>;

/** A room fire as it was recorded: which room burned, and what there was to hear and to feel (s from ignition). */
interface Fire {
  test: string;
  rows: Row[];
  columns: string[];
  /** Letter of the room whose ceiling was hot first. */
  room: string;
  hot: number;
  /** NaN = no ionisation alarm is known. */
  ion: number;
}

/** Room fires with the seconds at which commercial alarms sounded (`fires/`), and an office without fire (`quiet/`): see docs/early-warning.md. */
export const scoreFires: Score = async ({ folder, say }) => {
  const scratch = mkdtempSync(join(tmpdir(), 'smart-fire-score-'));
  try {
    const lines: ScoreLine[] = [];
    for (const fire of readFires(join(folder, 'fires'))) lines.push(...(await scoreFire(fire, scratch, say)));
    lines.push(...(await scoreQuiet(join(folder, 'quiet'))));
    return lines;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

function readFires(folder: string): Fire[] {
  const alarms = join(folder, 'activation-times.csv');
  const activations: Row[] = existsSync(alarms) ? parse(readFileSync(alarms), { columns: true }) : [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.csv') && file !== basename(alarms))
    .flatMap((file) => {
      const rows: Row[] = parse(readFileSync(join(folder, file)), { columns: true, skip_empty_lines: true });
      const columns = Object.keys(rows[0] ?? {});
      const test = /SDC\d+/.exec(file)?.[0] ?? basename(file, '.csv');
      const ceilings = columns.filter((column) => /^TC[A-Z]_1$/.test(column));
      const first = rows.find((row) => ceilings.some((column) => Number(row[column]) > HOT));
      const ions = activations
        .filter(({ alarm }) => alarm!.startsWith(`${test}-Ion`))
        .map((row) => Number(row.activation_s));
      const hottest = ceilings.reduce(
        (a, b) => (Number(first?.[b]) > Number(first?.[a]) ? b : a),
        ceilings[0] ?? 'TCA_1',
      );
      const hot = first ? Number(first.TIME) : NaN;
      return [{ test, rows, columns, room: hottest[2]!, hot, ion: ions.length > 0 ? Math.min(...ions) : NaN }];
    });
}

/** The same fire seen by the sensors of the room, by its thermometer alone, and by those of the whole house. */
async function scoreFire(fire: Fire, scratch: string, say: (line: string) => void): Promise<ScoreLine[]> {
  const of = (room: string) =>
    [`TC${room}_1`, `SM${room}_1`, `GAS${room}_1`].filter((column) => fire.columns.includes(column));
  const lines: ScoreLine[] = [];
  for (const [seen, columns] of [
    [`room ${fire.room}`, of(fire.room)],
    [`thermometer of room ${fire.room}`, [`TC${fire.room}_1`]],
    ['whole house', [...'ABCDEF'].flatMap(of)],
  ] as const) {
    const { early, grave, sentence } = await warnings(fire, columns, scratch);
    say(`${fire.test}, ${seen}: ${sentence}`);
    lines.push(
      {
        what: `${fire.test}, ${seen}: early warning`,
        value: seconds(early),
        goal: Number.isNaN(fire.ion) ? '' : `≤ ${fire.ion} + ${GRACE} s (first ionisation alarm)`,
        reached: Number.isNaN(fire.ion) ? null : early <= fire.ion + GRACE,
      },
      {
        what: `${fire.test}, ${seen}: fire`,
        value: seconds(grave),
        goal: Number.isNaN(fire.hot) ? '' : `< ${fire.hot} s (ceiling past ${HOT} °C)`,
        reached: Number.isNaN(fire.hot) ? null : grave < fire.hot,
      },
    );
  }
  return lines;
}

async function warnings(
  fire: Fire,
  columns: readonly string[],
  scratch: string,
): Promise<{ early: number; grave: number; sentence: string }> {
  const csv = join(scratch, `${fire.test}.csv`);
  const cell = (row: Row, column: string) =>
    row[column]
      ? String(Number(row[column]) * (column.startsWith('SM') ? DECIBEL : column.startsWith('GAS') ? PPM : 1))
      : '';
  const table = [
    ['TIME', ...columns],
    ...fire.rows.map((row) => [row.TIME!, ...columns.map((column) => cell(row, column))]),
  ];
  writeFileSync(csv, table.map((row) => row.join(',')).join('\n'));
  const values = columns.map(
    (column) =>
      `${column}=${column.startsWith('SM') ? 'smoke_density' : column.startsWith('GAS') ? 'co' : 'temperature'}`,
  );
  const [first, ...later] = await episodes(csv, 'TIME:s', values.join());
  const fires = [first, ...later].flatMap((episode) => (typeof episode?.fireAt === 'number' ? [episode.fireAt] : []));
  return {
    early: first ? first.from / 1000 : Infinity,
    grave: fires.length > 0 ? Math.min(...fires) / 1000 : Infinity,
    sentence: first?.sentence.en ?? 'nothing',
  };
}

async function scoreQuiet(folder: string): Promise<ScoreLine[]> {
  const csv = join(folder, 'occupancy.csv');
  if (!existsSync(csv)) return [];
  const found = await episodes(csv, 'Date', 'Temperature=temperature');
  return [
    { what: 'office without fire: warnings', value: String(found.length), goal: '0', reached: found.length === 0 },
  ];
}

async function episodes(csv: string, time: string, values: string) {
  const none = () => Promise.reject(new Error('a recording needs neither own rules nor history'));
  const given = { rule: 'preset:fire-fusion', csv, time, values };
  const { outcome } = await backtest(given, { timeZone: 'Asia/Shanghai', ownRule: none, history: none });
  return outcome.episodes;
}

function seconds(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(0)} s` : 'none';
}
