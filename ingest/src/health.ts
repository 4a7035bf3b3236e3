import { errorSentence, FireError, type HealthItem, type Journal } from '@smart-fire/core';
import type { GroupCommit } from './group-commit.ts';
import type { ReadingsWriter } from './writer.ts';

/** A writer further behind than this is worth telling people about (s). */
const LAG_MAX_S = 60;

/** What people read of the journal and of the readings store. `lastCommitMs` is the last commit's duration. */
export function healthOf(
  now: number,
  startedAt: number,
  journal: Journal,
  commit: GroupCommit,
  lastCommitMs: number,
  writer: ReadingsWriter,
): HealthItem[] {
  return [journalHealth(now, startedAt, journal, commit, lastCommitMs), readingsHealth(now, startedAt, writer)];
}

function journalHealth(
  now: number,
  startedAt: number,
  journal: Journal,
  commit: GroupCommit,
  lastCommitMs: number,
): HealthItem {
  const { bytes, max } = journal.usage();
  const refusal = commit.refusal(false, now);
  const figures = {
    bytes,
    max,
    commitMs: lastCommitMs,
    accepting: Number(refusal === null),
    waitingBytes: commit.waitingBytes,
  };
  if (refusal === null) {
    return {
      part: 'journal',
      level: 'ok',
      since: startedAt,
      sentence: { zh: '日志写入正常', en: 'The journal is being written.' },
      figures,
    };
  }
  const since = commit.failure?.since ?? commit.slowSince(now) ?? commit.fullSince ?? startedAt;
  const words = sentenceOf(refusal);
  const [zh, en] = commit.refusal(true, now)
    ? ['不再接收遥测和事件,新事件不会显示', 'Telemetry and events are refused, new events are not shown']
    : commit.trouble(now)
      ? [
          '未确认任何遥测和事件(不回 PUBACK),事件仍会显示',
          'Telemetry and events are not acknowledged, events are shown all the same',
        ]
      : ['未确认任何遥测(不回 PUBACK)', 'Telemetry is not acknowledged'];
  const sentence = { zh: `${zh}:${words.zh}`, en: `${en}: ${words.en}` };
  return { part: 'journal', level: 'failed', since, sentence, figures };
}

function readingsHealth(now: number, startedAt: number, writer: ReadingsWriter): HealthItem {
  const { lagEntries, lagSeconds, failure } = writer;
  const figures = { lagEntries, lagSeconds };
  if (failure) {
    const words = sentenceOf(failure.error);
    return { part: 'readings', level: 'degraded', since: failure.since, sentence: words, figures };
  }
  if (lagSeconds > LAG_MAX_S) {
    return {
      part: 'readings',
      level: 'degraded',
      since: now - lagSeconds * 1000,
      sentence: {
        zh: `读数库正在补齐,尚差 ${lagEntries} 条`,
        en: `The readings store is catching up: ${lagEntries} entries to go.`,
      },
      figures,
    };
  }
  return {
    part: 'readings',
    level: 'ok',
    since: startedAt,
    sentence: { zh: '读数库正常', en: 'The readings store keeps up.' },
    figures,
  };
}

function sentenceOf(error: unknown): { zh: string; en: string } {
  if (error instanceof FireError)
    return { zh: errorSentence(error.code, error.params, 'zh'), en: errorSentence(error.code, error.params, 'en') };
  const reason = error instanceof Error ? error.message : String(error);
  return { zh: reason, en: reason };
}
