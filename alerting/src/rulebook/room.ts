import type { RuleProblem } from '@smart-fire/core';

/** Own rules, and open maintenance windows, at most: each costs every device it is for. */
const MOST = 1000;
/** Of them in the area of one who does not hold the whole tree, so that nobody uses up what the others need too. */
const MOST_IN_AREA = 200;

export interface Room {
  /** How many more there may be. */
  left: number;
  /** What is told when that is not enough. */
  problem: Pick<RuleProblem, 'zh' | 'en'>;
}

/** What is left for who holds `scope`, when there are already some that act at `paths`. */
export function roomFor(scope: string, paths: readonly string[]): Room {
  const all = { left: MOST - paths.length, zh: '全平台', en: 'in all', most: MOST, there: paths.length };
  const inArea = paths.filter((path) => path.startsWith(scope)).length;
  const area = { left: MOST_IN_AREA - inArea, zh: '您的辖区内', en: 'in your area', most: MOST_IN_AREA, there: inArea };
  const { left, zh, en, most, there } = scope === '/' || all.left < area.left ? all : area;
  return {
    left: Math.max(0, left),
    problem: {
      zh: `${zh}最多 ${most} 条,已有 ${there} 条;请先删除不再需要的`,
      en: `there are ${there} of at most ${most} ${en}; remove some that are no longer needed first`,
    },
  };
}
