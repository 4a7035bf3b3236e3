import { isDeepStrictEqual } from 'node:util';
import { isVerdictRule, type RuleRecord } from '@smart-fire/core';
import { type DescribedKind, type Parameter, unitOf } from './described-kinds.ts';

const HEAD = `# Rules of smart-fire. What starts with # is as we ship it: take the # away and change it.
# mode: on, shadow (runs and is counted, raises nothing) or off. Import adds and changes rules, it never removes one.
format: 1
rules:
`;

/** Rules as YAML, the same text for the same rules. What a device itself declares is left out: nobody can tune it. */
export function writeRules(records: readonly RuleRecord[], kinds: ReadonlyMap<string, DescribedKind>): string {
  const written = records.filter(({ definition }) => !isVerdictRule(definition));
  if (written.length === 0) return HEAD.replace('rules:\n', 'rules: []\n');
  return HEAD + written.map((record) => writeRule(record, kinds.get(record.definition.type))).join('\n');
}

function writeRule(record: RuleRecord, described: DescribedKind | undefined): string {
  const { id, definition, shipped, mode, scope, schedule, overrides } = record;
  const { type, class: alarmClass, zh, en, source } = definition;
  const lines = [
    `  # ${remark(`${zh} · ${en}`)}`,
    ...(shipped ? [`  # ${remark(`${type}, ${alarmClass} · ${source.zh} · ${source.en}`)}`] : []),
    `  - id: ${flow(id)}`,
  ];
  const field = (name: string, value: unknown, asShipped: unknown, about: string) => {
    const same = shipped !== null && isDeepStrictEqual(value, asShipped);
    const before = shipped !== null && !same ? `as shipped: ${flow(asShipped ?? null)}` : '';
    const comment = [about, before].filter(Boolean).join('; ');
    lines.push(`    ${same ? '# ' : ''}${flow(name)}: ${flow(value)}${comment && ` # ${remark(comment)}`}`);
  };
  if (!shipped)
    for (const [name, value] of Object.entries({ type, class: alarmClass, zh, en, source }))
      field(name, value, null, '');
  field('mode', mode, shipped?.mode, '');
  field('scope', scope, shipped?.scope, '');
  field('schedule', schedule, shipped?.schedule, '');
  for (const [name, parameter] of described?.parameters ?? [])
    if (definition[name] !== undefined)
      field(name, definition[name], shipped?.definition[name], about(parameter, definition));
  if (overrides.length > 0) {
    lines.push('    overrides:');
    for (const one of overrides) {
      lines.push(
        `      - id: ${flow(one.id)}`,
        `        scope: ${flow(one.scope)}`,
        `        changes: ${flow(one.changes)}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

function about(parameter: Parameter, definition: Record<string, unknown>): string {
  const bounds = [parameter.bounds, unitOf(parameter, definition)].filter(Boolean).join(' ');
  return `${parameter.zh} ${parameter.en}${bounds && `, ${bounds}`}`;
}

/** One line, without characters that YAML does not allow. */
function remark(text: string): string {
  return text.replace(/[^\P{C}]|[\u2028\u2029]/gu, ' ');
}

/** A value on one line. Words that YAML or its older versions read as something else are quoted. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, one]) => one !== undefined);
    if (fields.length === 0) return '{}';
    return `{ ${fields.map(([name, one]) => `${flow(name)}: ${flow(one)}`).join(', ')} }`;
  }
  if (typeof value !== 'string') return String(value);
  const plain =
    /^[A-Za-z](?:[A-Za-z0-9_./:-]*[A-Za-z0-9])?$/.test(value) &&
    !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return plain ? value : JSON.stringify(value).replace(/[^\P{C}]|[\u2028\u2029]/gu, codeUnits);
}

function codeUnits(text: string): string {
  return [...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}
