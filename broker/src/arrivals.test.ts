import { describe, expect, it } from 'vitest';
import { Arrivals } from './arrivals.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function readers() {
  const seen: string[] = [];
  const reader = (name: string) => ({
    arrived: (bytes: Buffer, from: number, to: number) =>
      void seen.push(`${name}:${bytes.toString('latin1', from, to)}`),
  });
  return { seen, a: reader('a'), b: reader('b') };
}

describe('arrivals', () => {
  it('are handed out behind the reads of a turn, in their order, though the buffer they were read into is used again', async () => {
    const { seen, a, b } = readers();
    const arrivals = new Arrivals();
    const shared = Buffer.alloc(8);
    for (const [reader, text] of [
      [a, 'one'],
      [b, 'two'],
      [a, 'three'],
    ] as const)
      arrivals.add(reader, shared, shared.write(text));
    expect(seen).toEqual([]);
    await turn();
    expect(seen).toEqual(['a:one', 'b:two', 'a:three']);
    arrivals.add(b, shared, shared.write('four'));
    await turn();
    expect(seen.slice(3)).toEqual(['b:four']);
  });

  it('are handed out before what comes behind them, once', async () => {
    const { seen, a } = readers();
    const arrivals = new Arrivals();
    arrivals.add(a, Buffer.from('last words'), 10);
    arrivals.settle();
    expect(seen).toEqual(['a:last words']);
    await turn();
    expect(seen).toHaveLength(1);
  });

  it('are never more than there is room for, and none is lost or out of order when there are', async () => {
    const { seen, a } = readers();
    const arrivals = new Arrivals();
    const sizes = [200_000, 100_000, 300_000, 10, 200_000];
    for (const [n, size] of sizes.entries()) arrivals.add(a, Buffer.alloc(size, `${n}`), size);
    await turn();
    expect(seen.map((text) => [text.length - 2, text[2]])).toEqual(sizes.map((size, n) => [size, `${n}`]));
  });
});
