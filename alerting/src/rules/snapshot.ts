import type { Bindings } from './bindings.ts';
import type { RuleCatalogue } from './catalogue.ts';
import type { CheckpointHead, CheckpointPart } from './checkpoint.ts';
import { makeOf, type Variant } from './live-rule.ts';
import { readRecord, WITHHELD } from './slots.ts';

/** Numbers of one part, about 1 MiB: some ms to make, send and write. */
const PART_NUMBERS = 128 * 1024;

/** The engine's state at one moment. */
export interface Snapshot {
  head: CheckpointHead;
  /** Made as they are asked for, from a copy: the engine may go on in between. */
  parts(): Generator<CheckpointPart>;
}

/** Copies the state as it is, in one go, which costs some ms at a million devices; what is slow comes with the parts. */
export function takeSnapshot(head: CheckpointHead, bindings: Bindings, catalogue: RuleCatalogue): Snapshot {
  const { state, record, flags, size } = bindings.slots.copy();
  const variants = catalogue.variants.slice();
  const sources = new Map(bindings.sources);
  const { ids, zoneKeys } = bindings.subjects;

  function* parts(): Generator<CheckpointPart> {
    let rows = new Float64Array(PART_NUMBERS);
    let used = 0;
    let count = 0;
    let part = emptyPart();
    const rules = new Map<Variant, number>();
    const names = new Map<string, number>();
    const finished = () => ({
      ...part,
      rules: [...rules.keys()].map((one) => ({ id: one.live.id, size: one.size, make: makeOf(one) })),
      names: [...names.keys()],
      rows: rows.slice(0, used),
    });
    for (let slot = 0; slot < size; slot++) {
      const { variant: index, subject, offset } = readRecord(record, slot);
      const variant = flags[slot] === 0 ? undefined : variants[index];
      if (!variant || Number.isNaN(state[offset]!)) continue;
      if (used + 2 + variant.size > rows.length) {
        if (used > 0) yield finished();
        rows = new Float64Array(Math.max(PART_NUMBERS, 2 + variant.size));
        used = count = 0;
        part = emptyPart();
        rules.clear();
        names.clear();
      }
      rows[used] = numberIn(rules, variant);
      if (variant.subject === 'series' || variant.subject === 'device') rows[used + 1] = subject;
      else rows[used + 1] = numberIn(names, (variant.subject === 'zone' ? zoneKeys : ids)[subject]!);
      rows.set(state.subarray(offset, offset + variant.size), used + 2);
      used += 2 + variant.size;
      if ((flags[slot]! & WITHHELD) !== 0) part.withheld.push(count);
      const source = sources.get(slot);
      if (source !== undefined) part.sources.push([count, source]);
      count++;
    }
    if (used > 0) yield finished();
  }
  return { head, parts };
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
      if (source !== undefined) bindings.sources.set(slot, source);
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
    device < 0 ? undefined : plans[subjects.plan[device]!]!.variants.find(({ live }) => live.id === rule);
  const name = names[number];
  // A series' number is also a valid index into the names: what the rule is on decides.
  const bySeries = ofDevice(subjects.device[number] ?? -1);
  if (bySeries?.subject === 'series' || bySeries?.subject === 'device') return { variant: bySeries, subject: number };
  const byName = name === undefined ? undefined : ofDevice(subjects.numberOf(name));
  if (byName?.subject === 'silence') return { variant: byName, subject: subjects.numberOf(name!) };
  const zone = name === undefined ? -1 : subjects.zoneNumber(name);
  if (zone < 0) return null;
  const fed = subjects.device[source ?? -1] ?? -1;
  const byZone = ofDevice(subjects.zone(fed) === zone ? fed : subjects.memberOf(zone));
  return byZone?.subject === 'zone' ? { variant: byZone, subject: zone } : null;
}

function emptyPart(): Pick<CheckpointPart, 'withheld' | 'sources'> {
  return { withheld: [], sources: [] };
}

function numberIn<Key>(numbers: Map<Key, number>, key: Key): number {
  let number = numbers.get(key);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(key, number);
  }
  return number;
}
