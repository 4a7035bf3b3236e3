import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALARM_CLASSES, ALARM_STATES, AREA_LEVELS, ROLES, VERDICTS } from '@smart-fire/core';
import { describe, expect, it } from 'vitest';
import en from './en.json' with { type: 'json' };
import zh from './zh.json' with { type: 'json' };

type Words = { [name: string]: string | Words };

function flatten(words: Words, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(words).flatMap(([name, value]) =>
      typeof value === 'string' ? [[prefix + name, value]] : Object.entries(flatten(value, `${prefix}${name}.`)),
    ),
  );
}

const chinese = flatten(zh);
const english = flatten(en);
const console = join(import.meta.dirname, '..');
const sources = readdirSync(console, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(vue|ts)$/.test(name) && !name.endsWith('.test.ts'))
  .map((name) => readFileSync(join(console, name), 'utf8'))
  .join('\n');

describe('the words', () => {
  it('are the same keys in both languages', () => {
    expect(Object.keys(english)).toEqual(Object.keys(chinese));
  });

  it('name the same parameters in both languages', () => {
    const parameters = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const [key, text] of Object.entries(chinese)) expect(parameters(english[key]!), key).toEqual(parameters(text));
  });

  it('are all used', () => {
    const literal = new Set(sources.match(/[a-z]\w*(?:\.[\w-]+)+/gi));
    // Keys made at run time: t(`class.${name}`).
    const made = [...sources.matchAll(/`([a-z]\w*(?:\.\w+)*)\.\$\{/gi)].map(([, prefix]) => `${prefix}.`);
    const menu = new Set([...sources.matchAll(/label: '(\w+)'/g)].map(([, label]) => `menu.${label}`));
    const passedOn = [...sources.matchAll(/words="(\w+)"/g)].map(([, prefix]) => `${prefix}.`);
    const prefixes = [...made, ...passedOn].filter((prefix) => prefix !== 'menu.');
    const unused = Object.keys(chinese).filter(
      (key) => !literal.has(key) && !menu.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)),
    );
    expect(unused).toEqual([]);
  });

  it('exist for every key written out in the code', () => {
    const written = [...sources.matchAll(/\bt\('([\w.-]+)'/g)].map(([, key]) => key!);
    expect(written.filter((key) => !(key in chinese))).toEqual([]);
  });

  it('exist for everything the model can name', () => {
    const wanted = [
      ...ALARM_CLASSES.flatMap((name) => [`class.${name}`, `letter.${name}`]),
      ...ALARM_STATES.flatMap((name) => [`state.${name}`, `stateShort.${name}`]),
      ...VERDICTS.map((name) => `verdict.${name}`),
      ...ROLES.flatMap((name) => [`role.${name}`, `roleDoes.${name}`]),
      ...AREA_LEVELS.map((name) => `areaLevel.${name}`),
      ...[...sources.matchAll(/label: '(\w+)'/g)].map(([, label]) => `menu.${label}`),
    ];
    expect(wanted.filter((key) => !(key in chinese))).toEqual([]);
  });
});
