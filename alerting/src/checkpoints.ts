import type { Clock, Journal, RuleSource } from '@smart-fire/core';
import type { Logger } from '@smart-fire/core/node';
import type { Book } from './alarms/book.ts';
import type { AlarmRepository } from './alarms/repository.ts';
import type { Durable } from './durable.ts';
import {
  CHECKPOINT_FORMAT,
  type CheckpointHead,
  type CheckpointPart,
  decodeFormatOne,
  decodeManifest,
  decodePart,
  encodeManifest,
  encodePart,
} from './rules/checkpoint.ts';
import type { Engine } from './rules/engine.ts';

const CONSUMER = 'alerting';
/** After one that took long the next waits that many times as long. */
const REST = 10;

export interface CheckpointsDeps {
  repository: AlarmRepository;
  book: Book;
  durable: Durable;
  rules: Pick<RuleSource, 'flush'>;
  journal: Pick<Journal, 'advance'>;
  clock: Clock;
  log: Logger;
}

export interface Checkpoints {
  /** null = there is none. Rejects with FIRE_FORMAT_UNKNOWN. */
  load(): Promise<{ head: CheckpointHead; parts: CheckpointPart[] } | null>;
  /** Unless the last one took so long that it is too early; never rejects. */
  save(engine: Engine): Promise<void>;
  /** A last one, after that which is on its way. */
  finish(engine: Engine): Promise<void>;
}

/**
 * Checkpoints of the rule engine: copied at one moment, then written part by part, a turn of the event loop each, and put in force in one
 * transaction when all it has seen is in the journal, which may then forget it, and all that this led to is saved.
 */
export function createCheckpoints({
  repository,
  book,
  durable,
  rules,
  journal,
  clock,
  log,
}: CheckpointsDeps): Checkpoints {
  let generation = 0;
  let running: Promise<void> | null = null;
  let notBefore = -Infinity;

  async function write(engine: Engine): Promise<void> {
    const began = clock.now();
    const { refusals } = durable;
    const { head, parts } = engine.snapshot();
    // What was withheld below it must be as durable as the alarms are.
    await rules.flush();
    // Beside the one in force, which stays whole however far this one comes.
    const other = 1 - generation;
    const row = (data: Uint8Array) => ({ no: head.next, format: CHECKPOINT_FORMAT, at: clock.now(), data });
    let count = 0;
    for (const part of parts()) {
      if (part) await repository.saveCheckpointPart(other, count++, row(encodePart(part)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const manifest = row(encodeManifest({ ...head, generation: other, parts: count }));
    await durable.until(() => (durable.refusals > refusals ? 0 : head.next));
    if (durable.refusals > refusals) throw new Error('some of what it has seen was refused by the journal');
    const applied = () => Math.min(engine.next - 1, durable.next - 1, book.applied);
    await book.whenSaved(head.next, () => repository.saveCheckpoint(other, manifest, applied()));
    generation = other;
    journal.advance(CONSUMER, head.next);
    notBefore = clock.now() + REST * (clock.now() - began);
  }

  function start(engine: Engine): Promise<void> {
    running = write(engine)
      // The journal keeps what is not covered; nothing is lost by a checkpoint that is late.
      .catch((error: unknown) => log.warn({ err: error }, 'the rule engine could not save a checkpoint'))
      .finally(() => {
        running = null;
      });
    return running;
  }

  return {
    async load() {
      const saved = await repository.checkpoint();
      if (!saved) return null;
      const head = decodeManifest(saved.format, saved.data);
      if (saved.format === 1) return { head, parts: [decodeFormatOne(saved.data)] };
      generation = head.generation;
      const parts: CheckpointPart[] = [];
      for await (const part of repository.checkpointParts(generation)) {
        if (parts.length === head.parts) break;
        parts.push(decodePart(part));
      }
      return { head, parts };
    },
    save: (engine) => running ?? (clock.now() < notBefore ? Promise.resolve() : start(engine)),
    async finish(engine) {
      await running;
      await start(engine);
    },
  };
}
