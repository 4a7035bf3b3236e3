import {
  concerns,
  FireError,
  type MaintenanceRecord,
  type Override,
  pathOfScope,
  type Registry,
  type Rule,
  type RuleActor,
  type RuleBook,
  type RuleChange,
  type RuleDraft,
  type RuleRecord,
  type RuleVersion,
  type ScopeLevel,
  type WithheldQuery,
  type WithheldRecord,
} from '@smart-fire/core';

/** A rule book in memory: versions and places as the real one has them, nothing of parameters. */
export class FakeRuleBook implements RuleBook {
  readonly all = new Map<string, RuleRecord>();
  readonly windows = new Map<string, MaintenanceRecord>();
  readonly history: RuleVersion[] = [];
  readonly raises: WithheldRecord[] = [];
  imported: { text: string; dryRun: boolean }[] = [];
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  put(rule: Pick<Rule, 'id' | 'definition'> & Partial<RuleRecord>): RuleRecord {
    const record: RuleRecord = {
      ...{ version: 1, scope: {}, mode: 'on', schedule: null, preset: true, overrides: [], edited: false },
      ...{ shipped: null, changedAt: null, changedBy: null, problems: [], ...rule },
    };
    this.all.set(record.id, record);
    return record;
  }

  /** `{level} {id}` that rules of another town name. */
  readonly elsewhere = new Set<string>();

  namesElsewhere(level: ScopeLevel, id: string, scope: string): boolean {
    return scope !== '/' && this.elsewhere.has(`${level} ${id}`);
  }

  rules(scope: string): RuleRecord[] {
    return [...this.all.values()].filter((rule) => concerns(this.#path(rule), scope));
  }

  rule(id: string, scope: string): RuleRecord | undefined {
    return this.rules(scope).find((rule) => rule.id === id);
  }

  kinds() {
    const schema = {
      type: 'object',
      properties: { limit: { type: 'number', zh: '限值', en: 'Limit', unit: 'metric' } },
    };
    return [{ type: 'threshold', zh: '限值', en: 'Threshold', subject: 'series' as const, schema, learns: false }];
  }

  draft(_actor: RuleActor, draft: RuleDraft): Rule {
    return { ...draft, id: 'draft', version: 0, definition: draft.definition as never, preset: false, overrides: [] };
  }

  async create(actor: RuleActor, draft: RuleDraft): Promise<RuleRecord> {
    this.#mayWrite(actor, pathOfScope(draft.scope, this.#registry));
    const id = `own-${this.all.size}`;
    const definition = { source: { zh: '', en: '' }, ...draft.definition, id } as unknown as Rule['definition'];
    return this.put({ ...draft, id, definition, preset: false, edited: true, changedBy: actor.id });
  }

  async change(actor: RuleActor, id: string, version: number, { definition, ...change }: RuleChange) {
    const before = this.#find(actor, id, version);
    this.#mayWrite(actor, this.#path(before));
    return this.#next(actor, before, { ...change, definition: { ...before.definition, ...definition } });
  }

  async remove(actor: RuleActor, id: string, version: number | undefined): Promise<void> {
    this.#mayWrite(actor, this.#path(this.#find(actor, id, version)));
    this.all.delete(id);
  }

  async putOverride(actor: RuleActor, id: string, version: number, override: Omit<Override, 'id'>) {
    const before = this.#find(actor, id, version);
    this.#mayWrite(actor, pathOfScope(override.scope, this.#registry));
    return this.#next(actor, before, { overrides: [{ id: 'o', ...override }] });
  }

  async removeOverride(actor: RuleActor, id: string, version: number, _override: string) {
    return this.#next(actor, this.#find(actor, id, version), { overrides: [] });
  }

  async versions(_id: string, { before, limit }: { before: number; limit: number }): Promise<RuleVersion[]> {
    return this.history.filter(({ version }) => version < before).slice(0, limit);
  }

  async withheld({ limit, rule, maintenance }: WithheldQuery): Promise<WithheldRecord[]> {
    return this.raises
      .filter((one) => (rule ?? one.rule) === one.rule && (maintenance ?? one.maintenance) === one.maintenance)
      .slice(0, limit);
  }

  async withheldCounts() {
    return new Map(this.raises.map(({ rule }) => [rule, { shadow: 1, other: 2 }]));
  }

  withheldNow() {
    return new Map(this.raises.flatMap(({ maintenance }) => (maintenance === null ? [] : [[maintenance, 3]])));
  }

  exportYaml(scope: string): string {
    return `# ${scope}\nrules: []\n`;
  }

  async importYaml(_actor: RuleActor, text: string, { dryRun }: { dryRun: boolean }) {
    this.imported.push({ text, dryRun });
    const errors = text.includes('bad') ? [{ line: 2, path: 'limit', zh: '无效', en: 'not valid' }] : [];
    return { created: ['new'], changed: [], unchanged: [], errors };
  }

  maintenance(scope: string): MaintenanceRecord[] {
    return [...this.windows.values()].filter((one) => concerns(pathOfScope(one.scope, this.#registry), scope));
  }

  async announce(actor: RuleActor, window: Pick<MaintenanceRecord, 'scope' | 'from' | 'to' | 'reason'>) {
    const path = pathOfScope(window.scope, this.#registry);
    if (!path.startsWith(actor.scope))
      throw new FireError('FIRE_PERMISSION_DENIED', { permission: 'maintenance.write' });
    const made = { ...window, id: `m${this.windows.size}`, by: actor.id, createdAt: 1, endedBy: null };
    this.windows.set(made.id, made);
    return made;
  }

  async endMaintenance(actor: RuleActor, id: string): Promise<void> {
    if (!this.maintenance(actor.scope).some((one) => one.id === id))
      throw new FireError('FIRE_NOT_FOUND', { what: id });
    this.windows.delete(id);
  }

  current() {
    return { rules: [...this.all.values()], maintenance: [...this.windows.values()] };
  }

  onChange() {
    return () => undefined;
  }

  withhold(): void {}
  withheldOver(): void {}
  refused(): void {}
  async replayFrom(): Promise<void> {}
  async flush(): Promise<void> {}

  #path({ scope }: Pick<Rule, 'scope'>): string {
    return pathOfScope(scope, this.#registry);
  }

  #find(actor: RuleActor, id: string, version: number | undefined): RuleRecord {
    const found = this.rule(id, actor.scope);
    if (!found) throw new FireError('FIRE_NOT_FOUND', { what: id });
    if (version !== undefined && found.version !== version)
      throw new FireError('FIRE_RULE_CHANGED', { version: found.version });
    return found;
  }

  #mayWrite(actor: RuleActor, path: string): void {
    if (!path.startsWith(actor.scope)) throw new FireError('FIRE_PERMISSION_DENIED', { permission: 'rule.write' });
  }

  #next(actor: RuleActor, before: RuleRecord, change: Partial<RuleRecord>): RuleRecord {
    return this.put({ ...before, ...change, version: before.version + 1, edited: true, changedBy: actor.id });
  }
}
