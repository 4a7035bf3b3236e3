import { describe, expect, it } from 'vitest';
import { initialLink, isStale, type Link, type LinkEffect, type LinkEvent, SILENCE_MS, stepLink } from './link.ts';

function run(events: [at: number, event: LinkEvent][]): { link: Link; effects: LinkEffect[] } {
  let link = initialLink;
  const effects: LinkEffect[] = [];
  for (const [at, event] of events) {
    const step = stepLink(link, event, at);
    link = step.link;
    effects.push(...step.effects);
  }
  return { link, effects };
}

const live: [number, LinkEvent][] = [
  [0, { type: 'start' }],
  [10, { type: 'opened' }],
  [20, { type: 'snapshot', seq: 7 }],
];

describe('the link', () => {
  it('is stale until the first snapshot', () => {
    expect(isStale(run(live.slice(0, 2)).link)).toBe(true);
    expect(isStale(run(live).link)).toBe(false);
    expect(run(live).effects).toEqual(['connect', 'hello', 'apply']);
  });

  it('applies patches in sequence and ignores what it has had', () => {
    const { link, effects } = run([
      ...live,
      [30, { type: 'patch', from: 7, seq: 8 }],
      [31, { type: 'patch', from: 7, seq: 8 }],
    ]);
    expect(link.seq).toBe(8);
    expect(effects.filter((effect) => effect === 'apply')).toHaveLength(2);
  });

  it('asks for a new snapshot after a gap and applies nothing until it comes', () => {
    const { link, effects } = run([
      ...live,
      [30, { type: 'patch', from: 8, seq: 9 }],
      [31, { type: 'patch', from: 9, seq: 10 }],
    ]);
    expect(isStale(link)).toBe(true);
    expect(effects).toEqual(['connect', 'hello', 'apply', 'hello']);
    expect(isStale(stepLink(link, { type: 'snapshot', seq: 10 }, 40).link)).toBe(false);
  });

  it('takes numbers that grow in steps, and sees a gap in a ping too', () => {
    expect(run([...live, [30, { type: 'patch', from: 7, seq: 4000 }]]).link.seq).toBe(4000);
    expect(run([...live, [30, { type: 'ping', seq: 8 }]]).effects.at(-1)).toBe('hello');
  });

  it('asks for a new snapshot when the server says resync', () => {
    expect(run([...live, [30, { type: 'resync' }]]).effects.at(-1)).toBe('hello');
  });

  it('is stale after two missed pings and keeps the time the data are of', () => {
    const kept = run([...live, [5020, { type: 'ping', seq: 7 }], [5020 + SILENCE_MS - 1, { type: 'beat' }]]);
    expect(isStale(kept.link)).toBe(false);
    const lost = run([...live, [5020, { type: 'ping', seq: 7 }], [5020 + SILENCE_MS, { type: 'beat' }]]);
    expect(isStale(lost.link)).toBe(true);
    expect(lost.link.heardAt).toBe(5020);
    expect(lost.effects.at(-1)).toBe('drop');
  });

  it('is stale at once when the socket closes, and tries again with growing pauses up to 10 s', () => {
    let link = stepLink(run(live).link, { type: 'closed' }, 1000).link;
    expect(isStale(link)).toBe(true);
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      pauses.push(link.retryAt - 1000);
      expect(stepLink(link, { type: 'beat' }, link.retryAt - 1).effects).toEqual([]);
      const step = stepLink(link, { type: 'beat' }, link.retryAt);
      expect(step.effects).toEqual(['connect']);
      link = stepLink(step.link, { type: 'closed' }, 1000).link;
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('starts over with short pauses once it has been in step again', () => {
    const { link } = run([
      ...live,
      [30, { type: 'closed' }],
      [600, { type: 'beat' }],
      [610, { type: 'opened' }],
      [620, { type: 'snapshot', seq: 1 }],
    ]);
    expect(link.failures).toBe(0);
    expect(link.seq).toBe(1);
  });

  it('gives up a server that accepts and says nothing', () => {
    expect(run([...live.slice(0, 2), [10 + SILENCE_MS, { type: 'beat' }]]).effects.at(-1)).toBe('drop');
  });
});
