import type { RuleProblem } from '@smart-fire/core';
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';

const FORMAT = 1;
/** Problems told of one file; who has mended these sees the next ones. */
export const MOST_ERRORS = 100;
/** Tokens of one file, before anything is made of them: a thousand rules with comments and an override each have 250,000. */
const MOST_TOKENS = 400_000;
/** Brackets in brackets, and lists in lists on one line; other depth costs a line, or indentation, a level. */
const DEEPEST = 32;
const TOO_DEEP = { zh: '嵌套过深', en: 'nested too deeply' };

/** A rule as it stands in a file: its fields side by side. Plain data, which passes from process to process. */
export interface RuleEntry {
  fields: Record<string, unknown>;
  /** Line of everything in it by its path, such as `overrides.0.changes.limit`; '' is the rule itself. */
  lines: ReadonlyMap<string, number>;
}

export type LineProblem = RuleProblem & { line: number };

export interface RulesRead {
  entries: RuleEntry[];
  errors: LineProblem[];
}

/** Line of what a problem's path names, or of what it would stand in. */
export function lineOf({ lines }: RuleEntry, path: string): number {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    const line = lines.get(at);
    if (line !== undefined) return line;
  }
  return lines.get('') ?? 1;
}

/** Rules out of YAML: a document with `rules`, a list, or a single rule. Nothing of it is checked yet but that it is one. */
export function readRules(text: string): RulesRead {
  const lines = new LineCounter();
  const errors: LineProblem[] = [];
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const say = (offset: number, path: string, zh: string, en: string) => {
    if (errors.length < MOST_ERRORS) errors.push({ line: lineAt(offset), path, zh, en });
  };
  // By ourselves: the library compares every key with all before it.
  const sayTwice = (pairs: readonly Pair[]) => {
    const keys = new Set<string>();
    for (const { key } of pairs) {
      if (keys.has(String(key))) say(startOf(key), String(key), '此项重复', 'is there twice');
      keys.add(String(key));
    }
  };
  const refusal = refuse(text);
  if (refusal) return { entries: [], errors: [{ line: 1, path: '', ...refusal }] };
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      version: '1.2',
      uniqueKeys: false,
    });
    for (const { pos, message } of [...document.errors, ...document.warnings].slice(0, MOST_ERRORS))
      say(pos[0], '', `YAML 有误:${message}`, message);
    visit(document, {
      Node: (_, node) => {
        // Anchors would let a short file grow without bounds.
        if (isAlias(node) || ('anchor' in node && node.anchor))
          say(node.range?.[0] ?? 0, '', '不支持锚点和别名', 'anchors and aliases are not supported');
        if (isMap(node)) sayTwice(node.items);
        return errors.length >= MOST_ERRORS ? visit.BREAK : undefined;
      },
    });
    if (errors.length > 0) return { entries: [], errors };
    const { contents } = document;
    const nodes = listOf(contents, say);
    return {
      errors,
      entries: nodes.flatMap((node) => {
        if (!isMap(node)) {
          say(startOf(node), '', '应为一条规则(字段: 值)', 'should be a rule: fields with their values');
          return [];
        }
        const fields = node.toJS(document, { maxAliasCount: 0 }) as Record<string, unknown>;
        const lineOfPath = new Map([['', lineAt(startOf(node))]]);
        collectLines(node, '', (path, offset) => lineOfPath.set(path, lineAt(offset)));
        return [{ fields, lines: lineOfPath }];
      }),
    };
  } catch (error) {
    // Nested deeper than the stack.
    if (!(error instanceof RangeError)) throw error;
    return { entries: [], errors: [{ line: 1, path: '', ...TOO_DEEP }] };
  }
}

/** What is too much to be read, found before anything is made of it: each level of depth takes stack, each token memory. */
function refuse(text: string): Pick<RuleProblem, 'zh' | 'en'> | null {
  let count = 0;
  let brackets = 0;
  let onLine = 0;
  for (const token of new Lexer().lex(text)) {
    if (++count > MOST_TOKENS) return { zh: '内容过多,请分成几个文件', en: 'holds too much: make it several files' };
    if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets = Math.max(0, brackets - 1);
    else if (token === '-') onLine++;
    else if (token === '?') return { zh: '不支持以 ? 开头的键', en: 'keys that begin with ? are not supported' };
    else if (token.endsWith('\n')) onLine = 0;
    if (brackets + onLine > DEEPEST) return TOO_DEEP;
  }
  return null;
}

function listOf(contents: unknown, say: (offset: number, path: string, zh: string, en: string) => void): unknown[] {
  if (isSeq(contents)) return contents.items;
  if (!isMap(contents)) {
    say(0, '', '没有规则:应有 rules 列表', 'holds no rules: a list under `rules` is expected');
    return [];
  }
  if (!contents.has('rules') && (contents.has('id') || contents.has('type'))) return [contents];
  for (const { key } of contents.items)
    if (!['format', 'rules'].includes(String(key)))
      say(startOf(key), String(key), '没有此项;应为 format、rules', 'no such field; there are format and rules');
  const format = contents.get('format') ?? FORMAT;
  if (format !== FORMAT)
    say(startOf(contents.get('format', true)), 'format', `本程序支持 ${FORMAT}`, `this program knows ${FORMAT}`);
  const rules = contents.get('rules', true);
  if (isSeq(rules)) return rules.items;
  say(startOf(rules), 'rules', '应为列表', 'should be a list');
  return [];
}

function startOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}

/** Tells where everything below the node begins: a field at its name, an item at its value. */
function collectLines(node: Node, at: string, tell: (path: string, offset: number) => void): void {
  const below = (name: string, start: unknown, value: unknown) => {
    const path = at === '' ? name : `${at}.${name}`;
    if (isNode(start)) tell(path, startOf(start));
    if (isNode(value)) collectLines(value, path, tell);
  };
  if (isSeq(node)) node.items.forEach((item, index) => void below(String(index), item, item));
  else if (isMap(node))
    for (const { key, value } of node.items) if (isScalar(key)) below(String(key.value), key, value);
}
