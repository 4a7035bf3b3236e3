export type Language = 'zh' | 'en';
const LOCALES: Record<Language, string> = { zh: 'zh-CN', en: 'en-GB' };

/** How times are written for one language and time zone (undefined = the browser's own). Times are ms UTC. */
export interface TimeFormat {
  /** 14:03:21 */
  clock(at: number): string;
  /** 14:03:21 today, 11-23 14:03:21 this year, else 2025-11-23 14:03:21. */
  short(at: number, now: number): string;
  /** 2026-11-23 14:03:21 */
  full(at: number): string;
}

export function timeFormat(language: Language, timeZone?: string): TimeFormat {
  const options = { hourCycle: 'h23', ...(timeZone ? { timeZone } : {}) } as const;
  const clock = new Intl.DateTimeFormat(LOCALES[language], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    ...options,
  });
  // The same order of year, month and day in both languages: lists of times must line up and never be misread.
  const parts = new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', ...options });
  const day = (at: number) => parts.format(at);
  return {
    clock: (at) => clock.format(at),
    short(at, now) {
      const date = day(at);
      const today = day(now);
      if (date === today) return clock.format(at);
      return `${date.slice(0, 4) === today.slice(0, 4) ? date.slice(5) : date} ${clock.format(at)}`;
    },
    full: (at) => `${day(at)} ${clock.format(at)}`,
  };
}

/** Time passed in at most two units: 42 秒, 3 分 20 秒, 2 小时 5 分, 3 天 4 小时. */
export function duration(ms: number, language: Language): string {
  const units = language === 'zh' ? ['天', '小时', '分', '秒'] : ['d', 'h', 'min', 's'];
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const amounts = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  const first = amounts.findIndex((amount) => amount > 0);
  if (first < 0) return `0 ${units[3]}`;
  return amounts
    .slice(first, first + 2)
    .map((amount, i) => (amount > 0 ? `${amount} ${units[first + i]}` : ''))
    .filter(Boolean)
    .join(' ');
}
