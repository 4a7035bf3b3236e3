import { FireError, type RuleProblem, Words } from '@smart-fire/core';
import { z } from 'zod';

const MISSING = { zh: '缺少此项', en: 'is missing' };
const LOCALIZE = { zh: z.locales.zhCN().localeError, en: z.locales.en().localeError };

/** zod's findings in both languages, each with its path below `at`; `about` adds what is known of the value's bounds and unit. */
export function problemsOf(
  { issues }: z.ZodError,
  input: unknown,
  at: string,
  about: (path: readonly PropertyKey[]) => { zh: string; en: string } = () => ({ zh: '', en: '' }),
): RuleProblem[] {
  return issues.map((issue) => {
    const more = about(issue.path);
    const raw = { ...issue, input: valueAt(input, issue.path) } as Parameters<typeof LOCALIZE.en>[0];
    const say = (language: 'zh' | 'en') => {
      if (issue.code === 'invalid_type' && raw.input === undefined) return `${MISSING[language]}${more[language]}`;
      const said = issue.code === 'custom' ? issue.message : LOCALIZE[language](raw);
      return `${(typeof said === 'string' ? said : said?.message) ?? issue.message}${more[language]}`;
    };
    return { path: joinPath(at, issue.path), zh: say('zh'), en: say('en') };
  });
}

export function joinPath(at: string, path: readonly PropertyKey[]): string {
  return [...(at === '' ? [] : [at]), ...path.map(String)].join('.');
}

/** 400 with every problem: its sentence for people, `fields` for forms. */
export function invalid(problems: readonly RuleProblem[]): FireError {
  return refusal('FIRE_RULE_INVALID', problems);
}

export function invalidRequest(problems: readonly RuleProblem[]): FireError {
  return refusal('FIRE_REQUEST_INVALID', problems);
}

function refusal(code: 'FIRE_RULE_INVALID' | 'FIRE_REQUEST_INVALID', problems: readonly RuleProblem[]): FireError {
  const line = ({ path, ...words }: RuleProblem, language: 'zh' | 'en') =>
    path === '' ? words[language] : `${path}: ${words[language]}`;
  const all = (language: 'zh' | 'en') => problems.map((problem) => line(problem, language)).join('; ');
  return new FireError(code, { problems: new Words(all('zh'), all('en')), fields: problems });
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
