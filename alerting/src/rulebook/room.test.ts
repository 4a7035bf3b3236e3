import { expect, it } from 'vitest';
import { roomFor } from './room.ts';

const paths = (path: string, count: number) => Array<string>(count).fill(path);

it('leaves each area a share, whatever the other areas use', () => {
  const there = [...paths('/c/t1/s1/', 150), ...paths('/c/t1/', 50), ...paths('/c/t2/s2/', 30), ...paths('/', 5)];
  expect(roomFor('/c/t1/', there).left).toBe(0);
  expect(roomFor('/c/t1/s1/', there).left).toBe(50);
  expect(roomFor('/c/t2/', there).left).toBe(170);
  expect(roomFor('/', there).left).toBe(765);
});

it('is over for everybody when the whole platform is full, and says which of both it is', () => {
  const full = [...paths('/c/t1/', 200), ...paths('/', 795)];
  expect(roomFor('/c/t2/', full)).toMatchObject({
    left: 5,
    problem: { en: expect.stringContaining('995 of at most 1000 in all') },
  });
  expect(roomFor('/c/t1/', full)).toMatchObject({
    left: 0,
    problem: { en: expect.stringContaining('200 of at most 200 in your area') },
  });
  expect(roomFor('/', [...full, ...paths('/', 20)]).left).toBe(0);
});
