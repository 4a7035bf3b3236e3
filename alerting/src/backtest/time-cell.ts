const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const TEXT =
  /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/i;
/** Zones change their offset on whole quarters of an hour. */
const QUARTER = 900_000;

/** What `timeReader` understands, for people. */
export const TIME_FORMS = 'RFC 3339, YYYY-MM-DD HH:MM[:SS[.fff]], or numbers (ms; --time COLUMN:s for seconds)';

/**
 * Reads cells of a time column: numbers are `unitMs` each, texts are RFC 3339 or date and time with `-`, `/` or `.` in the date, year
 * first; without an offset they are wall-clock time in `timeZone` (IANA). Whole ms UTC; NaN for anything else.
 */
export function timeReader(unitMs: number, timeZone: string): (cell: string) => number {
  const wallClock = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  /** How far the zone's clocks are ahead at `time` (ms UTC). */
  const offsetAt = (time: number) => {
    const part: Record<string, number> = {};
    for (const { type, value } of wallClock.formatToParts(time)) part[type] = Number(value);
    const shown = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
    return shown - Math.floor(time / 1000) * 1000;
  };
  let quarter = NaN;
  let offset = 0;
  const fromWallClock = (wall: number) => {
    if (Math.floor(wall / QUARTER) !== quarter) {
      quarter = Math.floor(wall / QUARTER);
      offset = offsetAt(wall - offsetAt(wall));
    }
    return wall - offset;
  };

  return (cell) => {
    const text = cell.trim();
    if (NUMBER.test(text)) return Math.round(Number(text) * unitMs);
    const match = TEXT.exec(text);
    if (!match) return NaN;
    const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone] = match;
    const date = new Date(Date.UTC(+year!, +month! - 1, +day!));
    // The 31st of February is no date, and 25:00 no time; a leap second is the next second.
    if (date.getUTCMonth() !== +month! - 1 || date.getUTCDate() !== +day!) return NaN;
    if (+hour > 23 || +minute > 59 || +second > 60) return NaN;
    const wall = date.getTime() + ((+hour * 60 + +minute) * 60 + +second) * 1000;
    const ms = wall + Math.round(Number(`0.${fraction}`) * 1000);
    if (zone === undefined) return fromWallClock(ms);
    const shift = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
    return shift ? ms - Number(`${shift[1]}1`) * (Number(shift[2]) * 60 + Number(shift[3])) * 60_000 : ms;
  };
}
