import type { RuleRecord, WithheldRecord } from '@smart-fire/core';
import type { Context } from '../context.ts';

/** Counts are of the last 30 days. */
const SINCE_MS = 30 * 86_400_000;

/** Rules as people see them: with what they have done within the caller's scope. */
export class RuleViews {
  readonly #context: Pick<Context, 'state' | 'clock' | 'ruleBook' | 'liveRules' | 'credentials' | 'registry'>;

  constructor(context: Pick<Context, 'state' | 'clock' | 'ruleBook' | 'liveRules' | 'credentials' | 'registry'>) {
    this.#context = context;
  }

  async items(records: readonly RuleRecord[], scope: string) {
    const { clock, ruleBook, liveRules, credentials } = this.#context;
    const since = clock.now() - SINCE_MS;
    const [raised, withheld] = await Promise.all([this.#raised(scope, since), ruleBook.withheldCounts(scope, since)]);
    const figures = liveRules.figures();
    return records.map((record) => {
      const { shadow = 0, other = 0 } = withheld.get(record.id) ?? {};
      const { errors = 0, lastError = '' } = figures.get(record.id) ?? {};
      return {
        ...record,
        kind: record.scope.kinds?.[0] ?? '',
        changedByName: record.changedBy === null ? null : credentials.nameOf(record.changedBy),
        ...{ raised: raised.get(record.id) ?? 0, shadowRaised: shadow, withheld: other },
        ...{ errors, lastError: lastError === '' ? null : lastError },
      };
    });
  }

  async item(record: RuleRecord, scope: string) {
    return (await this.items([record], scope))[0]!;
  }

  withheld(record: WithheldRecord) {
    const { devices, sites } = this.#context.registry;
    const { zh = record.rule, en = record.rule } = this.#context.ruleBook.rule(record.rule, '/')?.definition ?? {};
    return {
      ...record,
      ruleName: { zh, en },
      deviceName: devices.get(record.device)?.name ?? record.device,
      siteName: sites.get(record.site)?.name ?? record.site,
    };
  }

  async #raised(scope: string, since: number): Promise<Map<string, number>> {
    let query = this.#context.state.db
      .selectFrom('alarm')
      .select(['alarm.rule', (eb) => eb.fn.countAll<number>().as('count')])
      .where('alarm.rule', 'is not', null)
      .where('alarm.raised_at', '>=', since);
    if (scope !== '/')
      query = query
        .innerJoin('site', 'site.id', 'alarm.site')
        .where((eb) => eb(eb.fn('substr', ['site.path', eb.val(1), eb.val(scope.length)]), '=', scope));
    const rows = await query.groupBy('alarm.rule').execute();
    return new Map(rows.map(({ rule, count }) => [rule!, Number(count)]));
  }
}
