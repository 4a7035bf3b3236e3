import type { RuleProblem } from '@smart-fire/core';

export interface Most {
  all: number;
  /** In the area of one who does not hold the whole tree, so that nobody uses up what the others need too. */
  inArea: number;
}

/** Own rules, and open maintenance windows: each costs every device it is for. */
const MOST: Most = { all: 1000, inArea: 200 };
/** Overrides of one rule: all of them are shown to who opens it. */
export const MOST_OVERRIDES: Most = { all: 500, inArea: 100 };

export interface Room {
  /** How many more there may be. */
  left: number;
  /** What is told when that is not enough. */
  problem: Pick<RuleProblem, 'zh' | 'en'>;
}

/** What is left for who holds `scope`, when there are already some that act at `paths`. */
export function roomFor(scope: string, paths: readonly string[], limit = MOST): Room {
  const all = { left: limit.all - paths.length, zh: '全平台', en: 'in all', most: limit.all, there: paths.length };
  const inArea = paths.filter((path) => path.startsWith(scope)).length;
  const area = {
    ...{ left: limit.inArea - inArea, zh: '您的辖区内', en: 'in your area' },
    ...{ most: limit.inArea, there: inArea },
  };
  const { left, zh, en, most, there } = scope === '/' || all.left < area.left ? all : area;
  return {
    left: Math.max(0, left),
    problem: {
      zh: `${zh}最多 ${most} 条,已有 ${there} 条;请先删除不再需要的`,
      en: `there are ${there} of at most ${most} ${en}; remove some that are no longer needed first`,
    },
  };
}
