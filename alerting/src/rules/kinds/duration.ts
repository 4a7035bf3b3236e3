import type { Sentence } from './kind.ts';

/** A length of time for people, in the largest unit that it fills twice. */
export function duration(ms: number): Sentence {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return { zh: `${seconds} 秒`, en: `${seconds} s` };
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return { zh: `${minutes} 分钟`, en: `${minutes} min` };
  const hours = Math.round(minutes / 6) / 10;
  if (hours < 72) return { zh: `${hours} 小时`, en: `${hours} h` };
  const days = Math.round(hours / 2.4) / 10;
  return { zh: `${days} 天`, en: `${days} days` };
}
