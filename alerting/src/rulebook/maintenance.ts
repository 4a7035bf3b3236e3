import { randomUUID } from 'node:crypto';
import {
  type Clock,
  FireError,
  isSeen,
  lieWithin,
  type Maintenance,
  type MaintenanceRecord,
  type Registry,
  type RuleActor,
  type RuleProblem,
  SCOPE_LEVELS,
  Words,
} from '@smart-fire/core';
import type { MaintenanceTable } from '@smart-fire/core/node';
import type { PlacePaths } from './place-paths.ts';
import { invalidRequest } from './problems.ts';
import type { RuleRepository } from './repository.ts';
import { roomFor } from './room.ts';
import { windowFromRow } from './rows.ts';

const DAY_MS = 86_400_000;
/** Longer work is announced again: somebody then looks at it again. */
const LONGEST_MS = 31 * DAY_MS;
/** How long ago a window may have begun when it is announced: people tell us late. */
const LATE_MS = DAY_MS;
/** How far ahead it may be announced. */
const AHEAD_MS = 366 * DAY_MS;

interface MaintenanceDeps {
  repository: RuleRepository;
  registry: Registry;
  places: PlacePaths;
  clock: Clock;
  sensorKinds: ReadonlySet<string>;
}

/** Announced windows. They end by themselves: whoever reads them compares with the time. */
export class MaintenanceWindows {
  readonly #windows = new Map<string, MaintenanceRecord>();
  readonly #deps: MaintenanceDeps;

  constructor(deps: MaintenanceDeps) {
    this.#deps = deps;
  }

  /** What still matters of them: what ended longer ago stays in the store. */
  static since(clock: Clock): number {
    return clock.now() - LONGEST_MS;
  }

  load(rows: readonly MaintenanceTable[]): void {
    for (const row of rows) this.#windows.set(row.id, windowFromRow(row));
  }

  list(): MaintenanceRecord[] {
    const since = MaintenanceWindows.since(this.#deps.clock);
    for (const [id, { to }] of this.#windows) if (to <= since) this.#windows.delete(id);
    return [...this.#windows.values()].sort((a, b) => b.to - a.to || (a.id < b.id ? -1 : 1));
  }

  /** For the engine, which may still replay what came before a window's end. */
  current(): Maintenance[] {
    const since = this.#deps.clock.now() - DAY_MS;
    return this.list().filter(({ to }) => to > since);
  }

  async announce(
    actor: RuleActor,
    given: Pick<Maintenance, 'scope' | 'from' | 'to' | 'reason'>,
  ): Promise<MaintenanceRecord> {
    const { repository, places, clock } = this.#deps;
    const now = clock.now();
    const path = places.pathOf(given.scope);
    const problems = this.#problems(actor, given, now);
    if (problems.length > 0) throw invalidRequest(problems);
    if (!path.startsWith(actor.scope)) throw denied();
    const { scope, from, to, reason } = given;
    const window: Maintenance = { id: randomUUID(), scope, from, to, reason: reason.trim(), by: actor.id };
    await repository.addWindow(window, now, path);
    const record = { ...window, createdAt: now, endedBy: null };
    this.#windows.set(window.id, record);
    return record;
  }

  async end(actor: RuleActor, id: string): Promise<void> {
    const { repository, places, clock } = this.#deps;
    const window = this.#windows.get(id);
    const path = window ? places.pathOf(window.scope) : '';
    if (!window || !places.concern(window.scope, actor.scope)) throw notFound(id);
    if (!path.startsWith(actor.scope)) throw denied();
    const now = clock.now();
    if (window.to <= now) throw new FireError('FIRE_MAINTENANCE_OVER');
    const to = window.from > now ? null : now;
    await repository.endWindow(window, to, actor, path);
    if (to === null) this.#windows.delete(id);
    else this.#windows.set(id, { ...window, to, endedBy: actor.id });
  }

  #problems(
    actor: RuleActor,
    { scope, from, to, reason }: Pick<Maintenance, 'scope' | 'from' | 'to' | 'reason'>,
    now: number,
  ): RuleProblem[] {
    const problems: RuleProblem[] = [];
    const say = (path: string, zh: string, en: string) => void problems.push({ path, zh, en });
    const named = SCOPE_LEVELS.filter((level) => scope[level] !== undefined);
    if (named.length === 0) say('scope', '须指定 area、site、zone 或 device', 'name an area, site, zone or device');
    for (const level of named)
      if (!isSeen(level, scope[level]!, actor.scope, this.#deps.registry))
        say(`scope.${level}`, `${scope[level]} 不存在`, `${scope[level]} does not exist`);
      else if (!lieWithin(scope, { [level]: scope[level]! }, this.#deps.registry))
        say(`scope.${level}`, '各级范围互不包含', 'the places of the scope do not lie in each other');
    for (const kind of scope.kinds ?? [])
      if (!this.#deps.sensorKinds.has(kind))
        say('scope.kinds', `没有传感器类型 ${kind}`, `there is no sensor kind ${kind}`);
    if (reason.trim() === '') say('reason', '请填写原因', 'give the reason');
    if (!(to > from)) say('to', '结束须晚于开始', 'must be after from');
    else if (to - from > LONGEST_MS) say('to', '最长 31 天', 'at most 31 days after from');
    if (to <= now) say('to', '结束时间已过', 'has passed already');
    if (from < now - LATE_MS) say('from', '最早可追溯 1 天', 'at most one day ago');
    if (from > now + AHEAD_MS) say('from', '最多提前 366 天', 'at most 366 days ahead');
    const open = [...this.#windows.values()].filter((window) => window.to > now);
    const { left, problem } = roomFor(
      actor.scope,
      open.map((window) => this.#deps.places.pathOf(window.scope)),
    );
    if (left === 0) say('', problem.zh, problem.en);
    return problems;
  }
}

function denied(): FireError {
  return new FireError('FIRE_PERMISSION_DENIED', { permission: 'maintenance.write' });
}

function notFound(id: string): FireError {
  return new FireError('FIRE_NOT_FOUND', { what: new Words(`维保窗口 ${id}`, `Maintenance window ${id}`) });
}
