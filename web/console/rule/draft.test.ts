import { expect, it } from 'vitest';
import { type RuleDraftForm, rebased } from './draft.ts';

const form = (more: Record<string, unknown>, scope = {}): RuleDraftForm => ({
  definition: {
    ...{ id: 'x', type: 'threshold', class: 'supervisory', zh: '低', en: 'Low', source: { zh: '', en: '' } },
    ...more,
  },
  scope,
  schedule: null,
});

it('keeps what somebody else changed when two edit at once, and what was typed', () => {
  const base = form({ limit: 100, forMs: 1000 });
  const mine = form({ limit: 100, forMs: 5000 });
  const now = form({ limit: 60, forMs: 1000 }, { site: 's1' });
  expect(rebased(mine, base, now)).toEqual(form({ limit: 60, forMs: 5000 }, { site: 's1' }));
});
