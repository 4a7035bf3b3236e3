import type { HealthItem } from '@smart-fire/core';
import type { Book } from './alarms/book.ts';
import type { LiveRule } from './rules/live-rule.ts';

/** Since when each trouble lasts, so that the page says so. */
export interface Troubles {
  startedAt: number;
  rulesSince: number | null;
}

/** Two parts: are the rules sound, and are alarms saved. `now` ms UTC. */
export function alertingHealth(book: Book, rules: readonly LiveRule[], troubles: Troubles, now: number): HealthItem[] {
  const broken = rules.filter(({ errors }) => errors > 0);
  troubles.rulesSince = broken.length === 0 ? null : (troubles.rulesSince ?? now);
  const names = broken.map(({ id, lastError }) => `${id} (${lastError})`).join(', ');
  const { unsaved, awaySince } = book.status();
  return [
    {
      part: 'rules',
      level: broken.length === 0 ? 'ok' : 'degraded',
      since: troubles.rulesSince ?? troubles.startedAt,
      sentence:
        broken.length === 0
          ? { zh: '规则运行正常。', en: 'All rules run.' }
          : { zh: `规则出错,其余规则不受影响:${names}`, en: `Rules that failed, all others go on: ${names}` },
      figures: { rules: rules.length, errors: broken.reduce((sum, { errors }) => sum + errors, 0) },
    },
    {
      part: 'alarms',
      level: awaySince === null ? 'ok' : 'degraded',
      since: awaySince ?? troubles.startedAt,
      sentence:
        awaySince === null
          ? { zh: '报警已保存。', en: 'Alarms are saved.' }
          : {
              zh: '状态库不可用或磁盘无响应:报警照常产生并显示,但尚未保存;暂不能确认、核实、关闭。',
              en: 'The state store is away or the disk does not answer: alarms are raised and shown but not saved; they cannot be acknowledged, verified or closed until that is over.',
            },
      figures: { unsaved },
    },
  ];
}
