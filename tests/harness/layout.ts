import { glob, readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';

/** A file that has more lines holds more than one concept; test files may grow. */
const MAX_LINES = 500;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const PASCAL = /^[A-Z][A-Za-z0-9]*$/;
const VAGUE = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc']);
/** Time and randomness come through the Clock port or a parameter; these are where they come from. */
const HIDDEN_INPUT = /\b(Date\.now|Math\.random)\(/;
const SOURCES_OF_TIME = /^(core\/src\/node|core\/src\/testing|tests)\//;

/** Rules of the house that no linter knows: one sentence for each file that breaks one. */
export async function layoutProblems(root: URL): Promise<string[]> {
  const problems: string[] = [];
  const patterns = [
    'smart-fire.ts',
    '{core,broker,ingest,alerting,simulators,web}/src/**/*.ts',
    'web/console/**/*.{ts,vue}',
    'tests/**/*.ts',
  ];
  for await (const file of glob(patterns, { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] })) {
    const stem = basename(file).replace(/(\.(test|contract|config|worker|d))?\.(ts|vue)$/, '');
    const isVue = extname(file) === '.vue';
    // Pages are named as the router wants them: index, [id].
    if (!/^\[.+\]$/.test(stem) && !KEBAB.test(stem) && !(isVue && PASCAL.test(stem)))
      problems.push(`${file}: name files in kebab-case${isVue ? ' or, for components, PascalCase' : ''}`);
    if (VAGUE.has(stem) || file.split('/').some((part) => VAGUE.has(part)))
      problems.push(`${file}: name it after the one thing it holds`);
    if (/\.test\.ts$/.test(file)) continue;
    const text = await readFile(new URL(file, root), 'utf8');
    const lines = text.split('\n').length;
    if (lines > MAX_LINES) problems.push(`${file}: ${lines} lines, at most ${MAX_LINES}; split it by concept`);
    if (!SOURCES_OF_TIME.test(file) && !file.startsWith('web/console/') && HIDDEN_INPUT.test(text))
      problems.push(`${file}: take time and randomness from the Clock port or a parameter`);
  }
  return problems.sort();
}
