import type { Verdict } from '@smart-fire/core';
import type { ApiError } from '../api/client.ts';
import { useApi } from '../api/index.ts';
import type { AlarmRow } from '../api/types.ts';
import { useLive } from '../live/store.ts';
import { useNotices } from '../ui/notices.ts';
import { useWords } from '../ui/words.ts';
import { isUnacknowledged } from './order.ts';

/** How many acknowledgements of a bulk act are on their way at once. */
const AT_ONCE = 4;

/** What a person does to alarms. Each act names the version that was on screen; a refusal says who was first. */
export function useActs() {
  const api = useApi();
  const live = useLive();
  const notices = useNotices();
  const { t, time } = useWords();

  /** Resolves with the sentence to show, '' when it was done. */
  async function attempt(act: () => Promise<AlarmRow>, id: string): Promise<string> {
    try {
      live.put(await act());
      return '';
    } catch (error) {
      const refused = error as ApiError;
      return refused.status === 409 ? `${refused.message} ${await whoWasFirst(id)}` : refused.message;
    }
  }

  async function whoWasFirst(id: string): Promise<string> {
    const current = await api.alarms.get(id).catch(() => null);
    if (!current) return '';
    live.put(current);
    const { closedBy, closedAt, verifiedBy, verifiedAt, acknowledgedBy, acknowledgedAt } = current;
    if (closedBy && closedAt) return t('ack.first.closed', { name: closedBy, time: time.value.clock(closedAt) });
    if (verifiedBy && verifiedAt)
      return t('ack.first.verified', { name: verifiedBy, time: time.value.clock(verifiedAt) });
    if (acknowledgedBy && acknowledgedAt)
      return t('ack.first.acknowledged', { name: acknowledgedBy, time: time.value.clock(acknowledgedAt) });
    return '';
  }

  return {
    acknowledge: (alarm: AlarmRow, reason: string) =>
      attempt(() => api.alarms.acknowledge(alarm.id, { reason, version: alarm.version }), alarm.id),
    verify: (alarm: AlarmRow, verdict: Verdict, note: string) =>
      attempt(() => api.alarms.verify(alarm.id, { verdict, note, version: alarm.version }), alarm.id),
    close: (alarm: AlarmRow, note: string) =>
      attempt(() => api.alarms.close(alarm.id, { note, version: alarm.version }), alarm.id),

    /** Acknowledges exactly these alarms in these versions, never "all that match". Resolves with those that were refused. */
    async acknowledgeAll(alarms: AlarmRow[], reason: string): Promise<string[]> {
      const refused: string[] = [];
      const queue = alarms.filter(isUnacknowledged);
      const worker = async () => {
        for (let alarm = queue.shift(); alarm; alarm = queue.shift()) {
          const { id, version, siteName } = alarm;
          const problem = await attempt(() => api.alarms.acknowledge(id, { reason, version }), id);
          if (problem) refused.push(`${siteName}: ${problem}`);
        }
      };
      const total = queue.length;
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      if (refused.length < total) notices.done(t('ack.done', { count: total - refused.length }));
      return refused;
    },
  };
}
