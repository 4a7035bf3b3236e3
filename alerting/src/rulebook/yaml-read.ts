import type { RuleProblem } from '@smart-fire/core';
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';

const FORMAT = 1;
/** Problems told of one file; who has mended these sees the next ones. */
const MOST_ERRORS = 100;

/** A rule as it stands in a file: its fields side by side. */
export interface RuleEntry {
  fields: Record<string, unknown>;
  /** Line of what a problem's path (`overrides.0.changes.limit`) names, or of what it would stand in. */
  lineOf(path: string): number;
}

export type LineProblem = RuleProblem & { line: number };

/** Rules out of YAML: a document with `rules`, a list, or a single rule. Nothing of it is checked yet but that it is one. */
export function readRules(text: string): { entries: RuleEntry[]; errors: LineProblem[] } {
  const lines = new LineCounter();
  const errors: LineProblem[] = [];
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const say = (offset: number, path: string, zh: string, en: string) =>
    void errors.push({ line: lineAt(offset), path, zh, en });
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
        if (errors.length >= MOST_ERRORS) return visit.BREAK;
        return undefined;
      },
      // By ourselves: the library compares every key with all before it.
      Map: (_, { items }) => {
        const keys = new Set<string>();
        for (const { key } of items) {
          if (keys.has(String(key))) say(startOf(key), String(key), '此项重复', 'is there twice');
          keys.add(String(key));
          if (errors.length >= MOST_ERRORS) return visit.BREAK;
        }
        return undefined;
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
        return [{ fields, lineOf: (path: string) => lineAt(offsetOf(node, path)) }];
      }),
    };
  } catch (error) {
    // Nested deeper than the stack.
    if (!(error instanceof RangeError)) throw error;
    return { entries: [], errors: [{ line: 1, path: '', zh: '嵌套过深', en: 'nested too deeply' }] };
  }
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

/** Where the deepest part of the path that there is begins. */
function offsetOf(rule: Node, path: string): number {
  let node: unknown = rule;
  let offset = startOf(rule);
  for (const part of path === '' ? [] : path.split('.')) {
    if (isSeq(node)) node = node.items[Number(part)];
    else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      if (!isPair(pair)) return offset;
      offset = startOf(pair.key);
      node = pair.value;
      continue;
    } else return offset;
    if (!isNode(node)) return offset;
    offset = startOf(node);
  }
  return offset;
}
