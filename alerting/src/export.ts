import type { Alarm, AlarmEntry } from '@smart-fire/core';
import type { StateStore } from '@smart-fire/core/node';
import { createAlarmRepository } from './alarms/repository.ts';

const PAGE = 500;

export interface ExportQuery {
  /** `raisedAt`, inclusive, ms UTC. */
  from?: number | undefined;
  /** Exclusive. */
  to?: number | undefined;
}

/** All alarms with their timelines as JSON lines, newest first, a page at a time in memory. */
export async function* exportAlarms(state: StateStore, { from, to }: ExportQuery = {}): AsyncGenerator<string> {
  const repository = createAlarmRepository(state);
  let before: { raisedAt: number; id: string } | undefined;
  for (;;) {
    const page = await repository.list({ scope: '/', from, to, before, limit: PAGE });
    for (const alarm of page) yield line(alarm, await repository.timeline(alarm.id));
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    before = { raisedAt: last.raisedAt, id: last.id };
  }
}

function line({ saved: _, ...alarm }: Alarm, timeline: AlarmEntry[]): string {
  return `${JSON.stringify({ ...alarm, timeline: timeline.map(({ alarm: _, ...entry }) => entry) })}\n`;
}
