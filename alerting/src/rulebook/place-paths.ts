import {
  concerns,
  type Override,
  pathOfPlace,
  placeOf,
  type Registry,
  type Scope,
  type ScopeLevel,
} from '@smart-fire/core';

/** Paths by place (`site s1`), as they are stored with a rule. */
export type KnownPaths = Record<string, string>;

/** Where scopes act. A place that is no more is where it was last known, so that those who held it can clear up what was for it. */
export class PlacePaths {
  readonly #last = new Map<string, string>();
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** What was stored with a rule; places that there are speak for themselves. */
  learn(known: KnownPaths): void {
    for (const [place, path] of Object.entries(known)) this.#last.set(place, path);
  }

  /** Of all places that a rule names, to be stored with it. */
  known({ scope, overrides }: { scope: Scope; overrides: readonly Override[] }): KnownPaths {
    const named = [scope, ...overrides.map((one) => one.scope)].flatMap((one) => placeOf(one) ?? []);
    return Object.fromEntries(
      named.flatMap((place) => {
        const path = this.#find(place);
        return path === undefined ? [] : [[keyOf(place), path]];
      }),
    );
  }

  /** Below which path a scope acts; that of a place nobody knows is `/`. */
  pathOf(scope: Scope): string {
    const place = placeOf(scope);
    return (place && this.#find(place)) ?? '/';
  }

  /** True when where the scope acts concerns who holds `path`; a place nobody knows concerns only who holds the whole tree. */
  concern(scope: Scope, path: string): boolean {
    const place = placeOf(scope);
    const found = place ? this.#find(place) : '/';
    return found === undefined ? path === '/' : concerns(found, path);
  }

  /** Where a place that is no more was last known to be; undefined when it is there, or nobody knows. */
  lastOf(level: ScopeLevel, id: string): string | undefined {
    if (pathOfPlace(level, id, this.#registry) !== undefined) return undefined;
    return this.#last.get(keyOf({ level, id }));
  }

  #find(place: { level: ScopeLevel; id: string }): string | undefined {
    const key = keyOf(place);
    const path = pathOfPlace(place.level, place.id, this.#registry);
    if (path !== undefined) this.#last.set(key, path);
    return path ?? this.#last.get(key);
  }
}

function keyOf({ level, id }: { level: ScopeLevel; id: string }): string {
  return `${level} ${id}`;
}
