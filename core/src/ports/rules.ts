import type { AlarmClass } from '../model/event.ts';
import type { Level, Maintenance, Override, Rule, RuleMode, Schedule, Scope, ScopeLevel } from '../model/rule.ts';

/** Why a raise did not become an alarm. */
export const WITHHELD_REASONS = ['shadow', 'schedule', 'maintenance'] as const;
export type WithheldReason = (typeof WITHHELD_REASONS)[number];

/** A condition that was there and raised no alarm. Times are ms UTC. */
export interface WithheldRaise {
  /** Number of the journal entry; a replay comes with the same number and counts once. */
  no: number;
  cause: string;
  why: WithheldReason;
  rule: string;
  /** The window that withheld it, null for shadow and schedule. */
  maintenance: string | null;
  class: AlarmClass;
  level: Level | null;
  device: string;
  point: string;
  site: string;
  zone: string | null;
  time: number;
  explanation: { zh: string; en: string };
}

/** What the rule engine works with, and where it leaves what it withheld. */
export interface RuleSource {
  /** An unchanged rule is the same object as before. Of maintenance: what runs, is to come, or ended within the last day (for replay). */
  current(): { rules: readonly Rule[]; maintenance: readonly Maintenance[] };
  /** Called after every committed change. */
  onChange(listener: () => void): () => void;
  /** Written in the background; a repeat of a cause that is still withheld counts on it. */
  withhold(raise: WithheldRaise): void;
  /** The condition is gone, or has become an alarm after all. Unknown causes are ignored. */
  withheldOver(over: { no: number; cause: string; time: number }): void;
  /** The journal did not keep what was told from number `no` on; numbers go on from there anew. */
  refused(no: number): void;
  /**
   * To be awaited before a replay: entries from `no` to `end` (exclusive) come again, and what is kept of them already counts once. null = the
   * journal was replaced: its numbers say nothing about what is kept.
   */
  replayFrom(no: number | null, end: number): Promise<void>;
  /** Resolves when everything withheld so far is durable; to be awaited before a checkpoint that covers it. */
  flush(): Promise<void>;
}

/** Who changes rules: the audit trail's word for him, and the path below which he may. */
export interface RuleActor {
  id: string;
  scope: string;
}

/** A sentence of what is wrong, and where: `limit`, `overrides.0.changes.limit`, … */
export interface RuleProblem {
  path: string;
  zh: string;
  en: string;
}

/** A rule with its history in short. */
export interface RuleRecord extends Rule {
  /** Differs from what we ship; true for every rule of one's own. */
  edited: boolean;
  /** What the program ships now; null for a rule of one's own. */
  shipped: Pick<Rule, 'definition' | 'scope' | 'mode' | 'schedule'> | null;
  changedAt: number | null;
  /** Audit trail's word for who changed it last. */
  changedBy: string | null;
  /** What this program cannot use of what is stored (written by another version): the edit or the rule is then not in force. */
  problems: RuleProblem[];
}

/** One field that changed: a parameter, `mode`, `scope`, `schedule`, or `override {level} {place}`. */
export interface RuleDifference {
  field: string;
  from: unknown;
  to: unknown;
}

export interface RuleVersion {
  version: number;
  at: number;
  actor: string;
  action: RuleAction;
  /** The whole rule as of this version; null = deleted, or for a place then that does not concern who asks. */
  rule: Pick<Rule, 'definition' | 'scope' | 'mode' | 'schedule' | 'overrides'> | null;
  /** Against the version before; empty for the first. */
  changes: RuleDifference[];
}

export type RuleAction = 'shipped' | 'create' | 'update' | 'delete' | 'revert' | 'override' | 'override-remove';

/** A new rule: its id and that of its definition are given to it. `source` may be left out. */
export interface RuleDraft {
  definition: Record<string, unknown>;
  scope: Scope;
  mode: RuleMode;
  schedule: Schedule | null;
}

/** With `type` the definition is the whole one, without it only the parameters it names change. */
export type RuleChange = Partial<RuleDraft>;

export interface WithheldRecord extends Omit<WithheldRaise, 'no' | 'time'> {
  id: string;
  raisedAt: number;
  overAt: number | null;
  count: number;
}

export interface WithheldQuery {
  rule?: string;
  maintenance?: string;
  why?: WithheldReason;
  /** Path prefix of what may be seen. */
  scope: string;
  /** Exclusive position, newest first. */
  before?: { raisedAt: number; id: string };
  limit: number;
}

/** An announced window with what became of it. */
export interface MaintenanceRecord extends Maintenance {
  createdAt: number;
  /** Ended before its time. */
  endedBy: string | null;
}

/** What an import does or would do; with errors nothing is done. */
export interface ImportPlan {
  created: string[];
  changed: string[];
  unchanged: string[];
  errors: (RuleProblem & { line: number })[];
}

/** What a form and a reader of rules need to know of a kind of rule. */
export interface RuleKindView {
  type: string;
  zh: string;
  en: string;
  subject: 'series' | 'device' | 'zone';
  /** JSON schema of the parameters; each property has zh, en and unit (`metric` = unit of the rule's metric). */
  schema: Record<string, unknown>;
  learns: boolean;
}

/**
 * The rules as versioned data: what we ship, what people changed of it, and rules of their own. Kept in memory; every change is one
 * transaction with its version and its audit row, one after the other. Changes reject with FIRE_NOT_FOUND, FIRE_PERMISSION_DENIED (outside the
 * actor's scope), FIRE_RULE_INVALID (with every problem), FIRE_RULE_CHANGED (another version was looked at), FIRE_RULE_FIXED,
 * FIRE_STATE_UNAVAILABLE, and then change nothing.
 */
export interface RuleBook extends RuleSource {
  /** Rules that act within the path, sorted by id, with the overrides that do. */
  rules(scope: string): RuleRecord[];
  rule(id: string, scope: string): RuleRecord | undefined;
  kinds(): RuleKindView[];
  /**
   * True when rules name a place or device by this id that is no more and lay outside `scope`: what was set for it there would hold for a
   * new one of the same id.
   */
  namesElsewhere(level: ScopeLevel, id: string, scope: string): boolean;
  /** A draft as it would be stored; throws like `create` and keeps nothing. */
  draft(actor: RuleActor, draft: RuleDraft): Rule;
  create(actor: RuleActor, draft: RuleDraft): Promise<RuleRecord>;
  change(actor: RuleActor, id: string, version: number, change: RuleChange): Promise<RuleRecord>;
  /** Own rule: gone. Preset: back to what we ship. */
  remove(actor: RuleActor, id: string, version: number | undefined): Promise<void>;
  /** An override of the same place is replaced. */
  putOverride(actor: RuleActor, id: string, version: number, override: Omit<Override, 'id'>): Promise<RuleRecord>;
  removeOverride(actor: RuleActor, id: string, version: number, override: string): Promise<RuleRecord>;
  /** Newest first, below `before`, as far as it concerns `scope`. */
  versions(id: string, page: { scope: string; before: number; limit: number }): Promise<RuleVersion[]>;
  withheld(query: WithheldQuery): Promise<WithheldRecord[]>;
  /** Withheld raises since `since` (ms UTC) within `scope`, by rule. */
  withheldCounts(scope: string, since: number): Promise<Map<string, { shadow: number; other: number }>>;
  /** By maintenance window, how many conditions it withholds now within `scope`; from memory. */
  withheldNow(scope: string): ReadonlyMap<string, number>;
  /** Every rule that acts within `scope`, with units as comments. */
  exportYaml(scope: string): string;
  importYaml(actor: RuleActor, text: string, options: { dryRun: boolean }): Promise<ImportPlan>;
  /** Running, coming, and those that ended within 31 days, as far as they concern the path; newest end first. */
  maintenance(scope: string): MaintenanceRecord[];
  announce(actor: RuleActor, window: Pick<Maintenance, 'scope' | 'from' | 'to' | 'reason'>): Promise<MaintenanceRecord>;
  /** Ends a running window now, takes back one that has not begun. */
  endMaintenance(actor: RuleActor, id: string): Promise<void>;
}

/** What a rule holds for normal of one series of a device, in the metric's unit. */
export interface LearnedRange {
  point: string;
  metric: string;
  centre: number;
  low: number;
  high: number;
}

/** The rules as the engine runs them now. */
export interface LiveRules {
  /** By rule id, since the start of the process: how often it threw, and what it said last ('' = never). */
  figures(): ReadonlyMap<string, { errors: number; lastError: string }>;
  /** null = it learns nothing, or is still learning. */
  learned(rule: string, device: string): LearnedRange[] | null;
  /** Forgets what the rule has learned and seen of the device (for a rule of a zone: of its zone). */
  reset(rule: string, device: string): void;
}

/** One rule over one device's stored history (for a rule of a zone: over its zone's). */
export interface BacktestQuery {
  rule: Rule;
  device: string;
  /** ms UTC, `to` exclusive. */
  from: number;
  to: number;
  /** Rows that teach and are not judged; the rule's own when left out. */
  warmUp?: number;
  /** Nobody waits for it any more: it ends with FIRE_BACKTEST_STOPPED. */
  signal?: AbortSignal;
}

/** What the rule would have done, with lines for a chart. Times are ms UTC. */
export interface BacktestResult {
  readings: number;
  rows: number;
  warmUp: number;
  /** All alarms, of which `episodes` holds the first. */
  alarms: number;
  episodes: { from: number; to: number | null; level: Level | null; sentence: { zh: string; en: string } }[];
  /** ms with at least one alarm. */
  timeInAlarm: number;
  series: {
    device: string;
    point: string;
    metric: string;
    points: [time: number, value: number][];
    /** What the rule held for normal. */
    learned: [time: number, low: number, high: number][];
  }[];
  /** 1 = at the limit. */
  score: [time: number, score: number][];
  remarks: { zh: string; en: string }[];
}
