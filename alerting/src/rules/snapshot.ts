import type { Bindings } from './bindings.ts';
import type { RuleCatalogue } from './catalogue.ts';
import type { CheckpointHead, CheckpointPart } from './checkpoint.ts';
import { makeOf, type Variant } from './live-rule.ts';
import type { CopiedSlot } from './slots.ts';

/** Numbers of one part, about 32 KiB: a ms to make and to send. */
const PART_NUMBERS = 4 * 1024;
/** Foreseen series of one part. */
const PART_FORESEEN = 1024;
/** Slots looked through without a breath: many are not in use. */
const BREATH_SLOTS = 1024;

/** The engine's state at one moment. */
export interface Snapshot {
  head: CheckpointHead;
  /** Made as they are asked for, from a copy: the engine may go on in between. null = none yet, take a breath. */
  parts(): Generator<CheckpointPart | null>;
}

/** Costs nothing yet: state is read with the parts, or just before it changes. A new snapshot ends the one before. */
export function takeSnapshot(
  head: CheckpointHead,
  foreseen: [series: number, until: number][],
  bindings: Bindings,
  catalogue: RuleCatalogue,
): Snapshot {
  const variants = catalogue.variants.slice();
  const copy = bindings.slots.copy();
  const { ids, zoneKeys } = bindings.subjects;

  function* parts(): Generator<CheckpointPart | null> {
    try {
      for (let at = 0; at < foreseen.length; at += PART_FORESEEN)
        yield { ...new PartWriter().finished(), foreseen: foreseen.slice(at, at + PART_FORESEEN) };
      let part = new PartWriter();
      for (let looked = 1; !copy.done; looked++) {
        if (looked % BREATH_SLOTS === 0) yield null;
        const read = copy.read();
        if (read === null || Number.isNaN(read.state[0]!)) continue;
        const variant = variants[read.variant]!;
        if (!part.hasRoomFor(variant)) {
          yield part.finished();
          part = new PartWriter();
        }
        const bySeries = variant.subject === 'series' || variant.subject === 'device';
        const name = bySeries ? null : (variant.subject === 'zone' ? zoneKeys : ids)[read.subject]!;
        part.add(variant, name ?? read.subject, read);
      }
      if (part.rows > 0) yield part.finished();
    } finally {
      copy.end();
    }
  }
  return { head, parts };
}

/** Gathers rows until they are enough for one part. */
class PartWriter {
  rows = 0;
  readonly #rules = new Map<Variant, number>();
  readonly #names = new Map<string, number>();
  readonly #withheld: number[] = [];
  readonly #sources: [number, number][] = [];
  #numbers = new Float64Array(PART_NUMBERS);
  #used = 0;

  hasRoomFor({ size }: Variant): boolean {
    return this.rows === 0 || this.#used + 2 + size <= this.#numbers.length;
  }

  add(variant: Variant, subject: number | string, { state, withheld }: Pick<CopiedSlot, 'state' | 'withheld'>): void {
    const needed = 2 + variant.size;
    if (this.#used + needed > this.#numbers.length) this.#numbers = new Float64Array(needed);
    this.#numbers[this.#used] = numberIn(this.#rules, variant);
    this.#numbers[this.#used + 1] = typeof subject === 'string' ? numberIn(this.#names, subject) : subject;
    this.#numbers.set(state.subarray(0, variant.size), this.#used + 2);
    this.#used += needed;
    if (withheld) this.#withheld.push(this.rows);
    if (variant.subject === 'zone' && state[variant.size]! >= 0) this.#sources.push([this.rows, state[variant.size]!]);
    this.rows++;
  }

  finished(): CheckpointPart {
    return {
      rules: [...this.#rules.keys()].map((one) => ({ id: one.live.id, size: one.size, make: makeOf(one) })),
      names: [...this.#names.keys()],
      withheld: this.#withheld,
      sources: this.#sources,
      foreseen: [],
      rows: this.#numbers.slice(0, this.#used),
    };
  }
}

/** Puts the rows of a part where they belong now; `placed` is told of each slot. */
export function restorePart(
  { rules, names, withheld, sources, rows }: CheckpointPart,
  bindings: Bindings,
  catalogue: RuleCatalogue,
  placed: (slot: number, variant: Variant, withheld: boolean) => void,
): void {
  const waiting = new Set(withheld);
  const fedBy = new Map(sources);
  for (let at = 0, row = 0; at < rows.length; row++) {
    const { id, size, make } = rules[rows[at]!]!;
    const source = fedBy.get(row);
    const found = place(id, rows[at + 1]!, names, source, bindings, catalogue);
    if (found && found.variant.size === size && (make === undefined || make === makeOf(found.variant))) {
      const { variant, subject } = found;
      let slot = bindings.find(variant, subject);
      if (slot < 0) slot = bindings.allocate(variant, subject);
      bindings.slots.state.set(rows.subarray(at + 2, at + 2 + size), bindings.slots.offset(slot));
      if (source !== undefined) bindings.setSource(slot, variant, source);
      placed(slot, variant, waiting.has(row));
    }
    at += 2 + size;
  }
}

/** Whose state a row is and under which variant now; null when there is no such rule, series, device or zone any more. */
function place(
  rule: string,
  number: number,
  names: readonly string[],
  source: number | undefined,
  { subjects }: Bindings,
  { plans }: RuleCatalogue,
) {
  const ofDevice = (device: number) =>
    device < 0 ? undefined : plans[subjects.plan(device)]!.variants.find(({ live }) => live.id === rule);
  const name = names[number];
  // A series' number is also a valid index into the names: what the rule is on decides.
  const bySeries = ofDevice(subjects.device(number));
  if (bySeries?.subject === 'series' || bySeries?.subject === 'device') return { variant: bySeries, subject: number };
  const byName = name === undefined ? undefined : ofDevice(subjects.numberOf(name));
  if (byName?.subject === 'silence') return { variant: byName, subject: subjects.numberOf(name!) };
  const zone = name === undefined ? -1 : subjects.zoneNumber(name);
  if (zone < 0) return null;
  const fed = subjects.device(source ?? -1);
  const byZone = ofDevice(subjects.zone(fed) === zone ? fed : subjects.memberOf(zone));
  return byZone?.subject === 'zone' ? { variant: byZone, subject: zone } : null;
}

function numberIn<Key>(numbers: Map<Key, number>, key: Key): number {
  let number = numbers.get(key);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(key, number);
  }
  return number;
}
