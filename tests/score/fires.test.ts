import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { scoreFires } from './fires.ts';

describe('the score of the room fires', () => {
  it('reaches every goal on the extracts that come with the project', async () => {
    const folder = fileURLToPath(new URL('../fixtures/recordings', import.meta.url));
    const lines = await scoreFires({ folder, quick: true, say: () => undefined });
    expect(lines).toHaveLength(19);
    expect(lines.filter(({ reached }) => reached !== true)).toEqual([]);
  });
});
