import { readFileSync } from 'node:fs';
import { PRESETS } from '@smart-fire/core/sensors';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driveKind, type Given, type KindDrive } from '../../testing/drive-kind.ts';
import { type FusionRule, fusion } from './fusion.ts';

const rule = PRESETS.find(({ id }) => id === 'preset:fire-fusion')!.definition as FusionRule;
const RECORDINGS = new URL('../../../../tests/fixtures/recordings/', import.meta.url);
const HOUR = 3600;

type Row = Record<string, string>;

function rowsOf(file: string): Row[] {
  return parse(readFileSync(new URL(file, RECORDINGS)), { columns: true, skip_empty_lines: true });
}

const INPUTS: Record<string, number> = { TC: 0, SM: 1, GA: 2 };

/** Columns of a NIST recording, each a detector of its own; every `thin`th row. Smoke in 1/m, as it is, times `scale`; CO as it is, in %. */
function burn(
  rows: readonly Row[],
  columns: readonly string[],
  { thin = 1, scale = 1, prelude = [] as Given[] } = {},
): KindDrive {
  const drive = driveKind(fusion, rule);
  drive.give(...prelude);
  for (const [index, row] of rows.entries()) {
    if (index % thin !== 0) continue;
    const time = 1e9 + Number(row.TIME) * 1000;
    for (const [source, column] of columns.entries()) {
      const input = INPUTS[column.slice(0, 2)]!;
      if (row[column]) drive.give({ time, source, input, value: Number(row[column]) * (input === 1 ? scale : 1) });
    }
  }
  drive.wait(2e9);
  return drive;
}

/** Seconds from ignition at which it warned early or worse, and of fire; Infinity = never. */
function warned({ turns }: KindDrive): { early: number; fire: number } {
  const at = (levels: string[]) => {
    const turn = turns.find(({ outcome, level }) => outcome === 'raise' && levels.includes(level!));
    return turn ? (turn.time - 1 - 1e9) / 1000 : Infinity;
  };
  return { early: at(['early', 'fire']), fire: at(['fire']) };
}

/** A room: °C, dB/m and ppm at a number of seconds. */
type Room = (seconds: number) => readonly [temperature: number, smoke: number, co: number];

/** Rises from `from` for `lasting` seconds towards 1 and falls back. */
function swell(at: number, from: number, lasting: number, tau: number): number {
  if (at < from) return 0;
  const full = 1 - Math.exp(-Math.min(at - from, lasting) / tau);
  return at < from + lasting ? full : full * Math.exp(-(at - from - lasting) / tau);
}

function live(room: Room, { step = 10, hours = 5, noise = 1, seed = 1 } = {}): KindDrive {
  const drive = driveKind(fusion, rule);
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const gauss = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const sigma = [0.1 * noise, 0.002 * noise, 0.5 * noise];
  for (let at = 0; at < hours * HOUR; at += step) {
    const values = room(at);
    for (let input = 0; input < 3; input++)
      drive.give({ time: at * 1000, input, value: values[input]! + sigma[input]! * gauss() });
  }
  return drive;
}

describe('fire fusion on room fires (NIST TN 1455)', () => {
  // First ionisation alarm of the house, and the ceiling past 57 °C (s from ignition).
  const fires = [
    { test: 'SDC02', room: 'E', next: 'F', ion: 24, hot: 112 },
    { test: 'SDC05', room: 'B', next: 'F', ion: 32, hot: 102 },
    { test: 'SDC10', room: 'E', next: 'F', ion: 40, hot: 122 },
  ];

  it.each(fires)(
    '$test: warns with the first ionisation alarm and of fire before the ceiling is hot',
    ({ test, room, ion, hot }) => {
      const rows = rowsOf(`fires/NIST_Smoke_Alarms_${test}.csv`);
      const columns = Object.keys(rows[0]!);
      const own = [`TC${room}_1`, `SM${room}_1`, `GAS${room}_1`].filter((column) => columns.includes(column));
      const house = columns.filter((column) => column !== 'TIME');
      const quiet = Array.from(
        { length: 60 },
        (_, minute): Given => ({ time: minute * 60_000, input: 0, source: 0, value: 21 }),
      );
      for (const [mapping, seen] of [
        own,
        own.slice(0, 1),
        house,
        house.filter((column) => column.startsWith('TC')),
      ].entries())
        for (const options of [{}, { scale: 10 }, { prelude: quiet }]) {
          const { early, fire } = warned(burn(rows, seen, options));
          expect(early, `early, mapping ${mapping}`).toBeLessThanOrEqual(ion + 5);
          expect(fire, `fire, mapping ${mapping}`).toBeLessThan(hot);
        }
    },
  );

  it.each(fires)('$test: warns in time with a reading every 10 s, whenever they begin', ({ test, room, ion, hot }) => {
    const rows = rowsOf(`fires/NIST_Smoke_Alarms_${test}.csv`);
    const columns = Object.keys(rows[0]!).filter((column) => column !== 'TIME');
    const thin = Math.round(10 / (Number(rows[1]!.TIME) - Number(rows[0]!.TIME)));
    const own = [`TC${room}_1`, `SM${room}_1`].filter((column) => columns.includes(column));
    for (let phase = 0; phase < thin; phase++)
      for (const seen of [own, columns]) {
        const { early, fire } = warned(burn(rows.slice(phase), seen, { thin, scale: 10 }));
        // Within the interval after the first ionisation alarm.
        expect(early, `phase ${phase}`).toBeLessThanOrEqual(ion + 10);
        expect(fire, `phase ${phase}`).toBeLessThan(hot);
      }
  });

  it.each(fires)(
    '$test: warns of fire from the smoke and the warmth of the next room, before the ceiling of the first is hot',
    ({ test, next, hot }) => {
      const rows = rowsOf(`fires/NIST_Smoke_Alarms_${test}.csv`);
      expect(warned(burn(rows, [`TC${next}_1`, `SM${next}_1`], { scale: 10 })).fire).toBeLessThan(hot);
    },
  );

  it('says what it saw, in both languages', () => {
    const drive = burn(rowsOf('fires/NIST_Smoke_Alarms_SDC02.csv').slice(0, 30), ['TCE_1', 'SME_1'], { scale: 10 });
    const { zh, en } = drive.sentence();
    expect(en).toMatch(/^Temperature up \d+ K .*smoke [\d.]+ dB\/m above usual: the sensors agree on a fire$/);
    expect(zh).toMatch(/^温度.*升高 \d+ K,烟雾较平时高 [\d.]+ dB\/m:传感器一致指向火灾$/);
  });
});

describe('fire fusion in ordinary life', () => {
  it('is silent in an office (UCI occupancy), also when every minute is a few seconds', () => {
    for (const pace of [60_000, 2000]) {
      const drive = driveKind(fusion, rule);
      for (const [index, { Temperature }] of rowsOf('quiet/occupancy.csv').entries())
        drive.give({ time: index * pace, input: 0, value: Number(Temperature) });
      expect(drive.turns).toEqual([]);
    }
  });

  const nuisances: Record<string, Room> = {
    'cooking on gas': (t) => [
      22 + 8 * swell(t, HOUR, 1500, 240),
      0.01 + 0.12 * swell(t, HOUR, 1500, 240),
      1 + 15 * swell(t, HOUR, 1500, 240),
    ],
    'a shower': (t) => [22 + 6 * swell(t, HOUR, 600, 180), 0.01 + 0.1 * swell(t, HOUR, 600, 180), 1],
    'the sun on the detector': (t) => [22 + 12 * swell(t, HOUR, 3 * HOUR, 1800), 0.01, 1],
    'a cold hall heated': (t) => [8 + 16 * swell(t, HOUR, 3 * HOUR, 1800), 0.01, 1],
    'a fan heater': (t) => [12 + 15 * swell(t, HOUR, 3 * HOUR, 480), 0.01, 1],
    'an oven opened': (t) => [22 + 3.5 * swell(t, HOUR, 60, 20), 0.01 + 0.003 * swell(t, HOUR, 60, 20), 1],
    'a car started': (t) => [15, 0.015 + 0.03 * swell(t, HOUR, 600, 120), 1 + 60 * swell(t, HOUR, 600, 120)],
    'a window opened in winter': (t) => [22 - 8 * swell(t, HOUR, 600, 180), 0.01, 1],
    'a cigarette': (t) => [22, 0.01 + 0.09 * swell(t, HOUR, 300, 60), 1 + 4 * swell(t, HOUR, 300, 60)],
    'a sensor that reads 0 for 15 min': (t) => [t > HOUR && t < HOUR + 900 ? 0 : 22, 0.01, 1],
    'single wild readings': (t) => (t % HOUR < 2 ? [500, 5, 5000] : [22, 0.01, 1]),
    'a smoke chamber that gets dirty': (t) => [22, 0.01 + (0.06 * t) / 86_400, 1],
  };
  it.each(Object.keys(nuisances))('is silent at %s', (name) => {
    for (const step of [2, 10, 60, 300])
      for (const noise of [0.5, 1, 4])
        expect(live(nuisances[name]!, { step, noise, hours: 4 }).turns, `${step} s, noise ${noise}`).toEqual([]);
  });
});

describe('fire fusion', () => {
  const smoulder: Room = (t) => [22 + (1.5 * t) / HOUR, 0.01 + (0.3 * t) / HOUR, 1 + (60 * t) / HOUR];

  it('sees a smouldering fire by smoke and CO together, before a smoke detector must answer', () => {
    const drive = live(smoulder, { hours: 2 });
    expect(drive.turns.map(({ level }) => level)).toEqual(['early', 'fire']);
    expect(smoulder(drive.turns[0]!.time / 1000)[1]).toBeLessThan(0.2);
  });

  it('says nothing of fire by CO alone, whatever there is of it', () => {
    const drive = live((t) => [22, 0.01, 1 + t], { hours: 2 });
    expect(drive.turns.map(({ level }) => level)).toEqual(['early']);
  });

  it('clears after a calm time, and holds while the sensors are silent', () => {
    const drive = live((t) => [22 + 30 * swell(t, 600, 300, 60), 0.01, 1], { hours: 0.25 });
    expect(drive.turns.at(-1)?.level).toBe('fire');
    drive.wait(5 * HOUR * 1000);
    expect(drive.raised()).toBe(true);
    for (let minute = 0; minute < 60; minute++)
      drive.give({ time: (5 * HOUR + minute * 60) * 1000, input: 0, value: 22 });
    expect(drive.turns.at(-1)?.outcome).toBe('clear');
  });

  it('learns nothing where it may not: a usual value stays as it was', () => {
    const stuck = driveKind(fusion, rule, false);
    for (let minute = 0; minute < 600; minute++)
      stuck.give({ time: minute * 60_000, input: 0, value: 22 + minute / 20 });
    expect(stuck.raised()).toBe(true);
    const following = driveKind(fusion, rule);
    for (let minute = 0; minute < 600; minute++)
      following.give({ time: minute * 60_000, input: 0, value: 22 + minute / 20 });
    expect(following.raised()).toBe(false);
  });

  /** What a zone of `count` detectors 10 s apart shows, of which the one heard last burns from `from` s on. */
  const zone = (count: number, from: number, room: (source: number, burning: number) => (number | null)[]) => {
    const drive = driveKind(fusion, rule);
    for (let at = 0; at < from + 300; at += 10)
      for (let source = 1; source <= count; source++)
        for (const [input, value] of room(source, source === count ? Math.max(0, at - from) : 0).entries())
          if (value !== null) drive.give({ time: at * 1000 + source, source, input, value });
    drive.wait(1e9);
    const seconds = (level: string) =>
      (drive.turns.find((turn) => turn.level === level)?.time ?? Infinity) / 1000 - from;
    return { early: seconds('early'), fire: seconds('fire'), turns: drive.turns.length };
  };
  const heat = (seconds: number) => (seconds / 20) ** 2;

  it('sees the last heard of a hundred thermometers burn hardly later than one alone', () => {
    const alone = zone(1, 3600, (_, burning) => [22 + heat(burning)]);
    for (const usual of [() => 22, (source: number) => 18 + (source % 50) / 10]) {
      const many = zone(100, 3600, (source, burning) => [(source === 100 ? 20 : usual(source)) + heat(burning)]);
      expect(many.early - alone.early).toBeLessThanOrEqual(20);
      expect(many.fire - alone.fire).toBeLessThanOrEqual(20);
    }
    expect(zone(100, 3600, (source) => [18 + (source % 50) / 10]).turns).toBe(0);
  });

  it('sees a fire in a zone of a hundred detectors of three metrics by each of them, though they came after the others', () => {
    const usual = [22, 0.01, 1];
    const burns = [heat, (s: number) => (s / 60) ** 2 * 0.1, (s: number) => 5 * s];
    for (let input = 0; input < 3; input++) {
      const { early } = zone(100, 3600, (source, burning) =>
        usual.map((value, metric) =>
          // The first ninety are thermometers alone.
          metric > 0 && source <= 90 ? null : value + (metric === input ? burns[metric]!(burning) : 0),
        ),
      );
      expect(early, `metric ${input}`).toBeLessThanOrEqual(120);
    }
  });

  it('sees a cold room burn beside many warm ones once it is as warm, and is not moved by what comes and goes', () => {
    const { early, fire } = zone(100, 3600, (source, burning) => [
      source === 100 ? 4 + heat(burning) : 30 + (source % 3),
    ]);
    expect(early).toBeLessThanOrEqual(140);
    expect(fire).toBeLessThanOrEqual(200);
  });

  it('gives the place of a sensor that is gone to another', () => {
    const drive = driveKind(fusion, { ...rule, sensors: 2 });
    const give = (time: number, source: number, value: number) => drive.give({ time, source, input: 0, value });
    for (const source of [1, 2]) for (let at = 0; at < 10; at++) give(source * 1e5 + at * 1000, source, 80);
    for (let at = 0; at < 10; at++) give(3e5 + at * 1000, 3, 20 + 5 * at);
    expect(drive.raised()).toBe(false);
    for (let at = 0; at < 10; at++) give(2e8 + at * 1000, 9, 20 + 9 * at);
    expect(drive.raised()).toBe(true);
  });

  it('warns by one reading where they are 10 s apart and more, of fire by two; a sensor that was wrong once is believed by two ever after', () => {
    for (const step of [10, 30, 60, 300]) {
      const drive = driveKind(fusion, rule);
      const give = (n: number, value: number) => drive.give({ time: n * step * 1000, input: 1, value });
      for (let n = 0; n < 50; n++) give(n, 0.01);
      give(50, 0.4);
      drive.wait(50 * step * 1000 + 2);
      expect(drive.turns.map(({ level }) => level)).toEqual(['early']);
      // Falsely, as it turns out.
      for (let n = 51; n < 200; n++) give(n, 0.01);
      expect(drive.turns.map(({ outcome }) => outcome)).toEqual(['raise', 'clear']);
      give(200, 0.4);
      for (let n = 201; n < 400; n++) give(n, n % 50 === 0 ? 0.4 : 0.01);
      expect(drive.turns).toHaveLength(2);
      give(400, 9);
      give(401, 9);
      drive.wait(401 * step * 1000 + 2);
      expect(drive.turns.at(-1)?.level).toBe('fire');
    }
    const quick = driveKind(fusion, rule);
    for (let n = 0; n < 50; n++) quick.give({ time: n * 2000, input: 1, value: n === 40 ? 0.4 : 0.01 });
    expect(quick.turns).toEqual([]);
  });

  it('does not care for the order within a millisecond, for restarts, nor for metrics that are missing or mad', () => {
    const value = fc.oneof(
      fc.constantFrom(20, 21, 25, 40, 80, 0, -999, 1e9, Number.NaN),
      fc.double({ min: 0, max: 60, noNaN: true }),
    );
    const rows = fc.array(
      fc.record({
        wait: fc.constantFrom(1000, 2000, 30_000, 400_000, 1e8),
        row: fc.uniqueArray(
          fc.record({ source: fc.integer({ min: 1, max: 3 }), input: fc.integer({ min: 0, max: 2 }), value }),
          {
            maxLength: 9,
            selector: ({ source, input }) => source * 3 + input,
          },
        ),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 30 }), (given, at) => {
        const forth = driveKind(fusion, rule);
        const back = driveKind(fusion, rule);
        let time = 0;
        for (const [index, { wait, row }] of given.entries()) {
          time += wait;
          forth.give(...row.map((reading) => ({ ...reading, time })));
          back.give(...row.reverse().map((reading) => ({ ...reading, time })));
          if (index === at) back.restart();
        }
        forth.wait(time + 1e9);
        back.wait(time + 1e9);
        expect(back.turns).toEqual(forth.turns);
      }),
      { numRuns: 300 },
    );
  });
});
