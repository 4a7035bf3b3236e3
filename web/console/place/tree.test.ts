import type { Area, Site } from '@smart-fire/core';
import { expect, it } from 'vitest';
import { pathName, placeTree } from './tree.ts';

const area = (id: string, parent: string | null, path: string): Area => ({
  id,
  parent,
  level: 'town',
  name: `area ${id}`,
  code: null,
  path,
});
const site = (id: string, of: string, path: string): Site => ({
  id,
  area: of,
  name: `site ${id}`,
  address: '',
  contacts: [],
  path,
});

it('hangs areas and sites below their parents, areas first, numbers in order', () => {
  const tree = placeTree(
    [area('a', null, '/a/'), area('a10', 'a', '/a/a10/'), area('a2', 'a', '/a/a2/')],
    [site('s', 'a', '/a/s/')],
    'en',
  );
  expect(tree).toHaveLength(1);
  expect(tree[0]!.children.map(({ id }) => id)).toEqual(['a2', 'a10', 's']);
});

it('shows what hangs under an area out of sight as a root', () => {
  const tree = placeTree([area('b', 'hidden', '/hidden/b/')], [site('s', 'elsewhere', '/elsewhere/s/')], 'en');
  expect(tree.map(({ id }) => id)).toEqual(['b', 's']);
});

it('names a path from the top down', () => {
  expect(pathName('/a/s/', [area('a', null, '/a/')], [site('s', 'a', '/a/s/')], 'everything')).toBe('area a / site s');
  expect(pathName('/', [], [], 'everything')).toBe('everything');
});
