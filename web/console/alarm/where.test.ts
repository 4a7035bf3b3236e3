import { expect, it } from 'vitest';
import { whereText } from './where.ts';

it('says each place once', () => {
  expect(whereText(['二层东区', '二层东区 3 号位', '二层东区 3 号'])).toBe('二层东区 3 号位 · 二层东区 3 号');
  expect(whereText([null, '', 'north stair', 'smoke-1'])).toBe('north stair · smoke-1');
  expect(whereText(['same', 'same'])).toBe('same');
});
