import type { Maintenance, Rule, RuleSource, WithheldRaise } from '@smart-fire/core';
import { presetRules } from '@smart-fire/core/sensors';
import { KINDS } from './scene.ts';

/** Rules of the scene's kinds that a test changes; what was withheld is kept as `withheld {why} {cause}` and `over {cause}`. */
export class FakeRules implements RuleSource {
  rules: readonly Rule[] = presetRules(KINDS, []);
  maintenance: Maintenance[] = [];
  readonly said: string[] = [];
  readonly raises: WithheldRaise[] = [];
  readonly replays: (number | null)[] = [];
  readonly #listeners = new Set<() => void>();

  current(): { rules: readonly Rule[]; maintenance: readonly Maintenance[] } {
    return { rules: this.rules, maintenance: this.maintenance };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Other fields of one rule, which is then another object; the rest are the same. */
  change(id: string, change: Partial<Rule>): this {
    this.rules = this.rules.map((rule) => (rule.id === id ? { ...rule, ...change } : rule));
    for (const listener of this.#listeners) listener();
    return this;
  }

  add(...rules: Rule[]): this {
    this.rules = [...this.rules, ...rules];
    return this;
  }

  /** What was said since the last call. */
  heard(): string[] {
    return this.said.splice(0);
  }

  withhold(raise: WithheldRaise): void {
    this.raises.push(raise);
    this.said.push(`withheld ${raise.why} ${raise.cause}`);
  }

  withheldOver({ cause }: { cause: string }): void {
    this.said.push(`over ${cause}`);
  }

  refused(): void {
    // Nothing is kept.
  }

  async replayFrom(no: number | null): Promise<void> {
    this.replays.push(no);
  }

  async flush(): Promise<void> {
    // Nothing waits.
  }
}
