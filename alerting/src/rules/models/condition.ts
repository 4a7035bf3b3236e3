import { Environment, type ParseResult } from '@marcbachmann/cel-js';

/** An expression over numbers, parsed once. Throws when the expression cannot be answered (a division of integers by 0). */
export type Condition = (values: Readonly<Record<string, number>>) => boolean;

/** Why an expression is refused, and where: `at` counts characters from 0. */
export interface ConditionError {
  message: string;
  at: number;
}

type Node = ParseResult['ast'];

/** What an expression may cost: longer ones are refused, and with neither lists, macros nor texts the cost of one grows with its length alone. */
const LONGEST = 500;
const LIMITS = { maxAstNodes: 100, maxDepth: 20, maxListElements: 0, maxMapEntries: 0, maxCallArguments: 4 };
const OPERATORS = new Set([
  'value',
  'id',
  'call',
  '?:',
  '||',
  '&&',
  '!_',
  '-_',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '+',
  '-',
  '*',
  '/',
]);
const FUNCTIONS = new Set(['abs', 'min', 'max', 'double']);
const ARITHMETIC: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

/** What a metric may be called in an expression: `name` is its value, `name_age` the seconds since it came. */
export const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** A condition over `names`, or why and where it is refused: unknown name, wrong type, not a yes or no, too costly. */
export function parseCondition(expression: string, names: readonly string[]): Condition | ConditionError {
  if (expression.length > LONGEST) return { message: `longer than ${LONGEST} characters`, at: LONGEST };
  let result: ParseResult;
  let type: string | undefined;
  try {
    const environment = environmentOf(names);
    result = environment.parse(expression);
    const refused = firstRefused(result.ast);
    if (refused) return refused;
    const check = result.check();
    if (!check.valid) return { message: check.error!.summary, at: check.error!.range?.start ?? 0 };
    type = check.type;
  } catch (error) {
    const { summary, message, range } = error as { summary?: string; message: string; range?: { start: number } };
    return { message: summary ?? message, at: range?.start ?? 0 };
  }
  if (type !== 'bool') return { message: `gives ${type}, not true or false`, at: 0 };
  return (values) => result(values) === true;
}

/** Values are doubles; people write 50 and mean 50.0. */
function environmentOf(names: readonly string[]): Environment {
  const environment = new Environment({ limits: LIMITS });
  for (const name of names) environment.registerVariable(name, 'double');
  for (const [sign, apply] of Object.entries(ARITHMETIC)) {
    environment.registerOperator(`double ${sign} int`, (a: number, b: bigint) => apply(a, Number(b)));
    environment.registerOperator(`int ${sign} double`, (a: bigint, b: number) => apply(Number(a), b));
  }
  environment.registerOperator('double == int', (a: number, b: bigint) => a === Number(b));
  environment.registerFunction('abs(double): double', Math.abs);
  for (const name of ['min', 'max'] as const)
    for (const [a, b] of [
      ['double', 'double'],
      ['double', 'int'],
      ['int', 'double'],
    ])
      environment.registerFunction(`${name}(${a}, ${b}): double`, (x: number | bigint, y: number | bigint) =>
        Math[name](Number(x), Number(y)),
      );
  return environment;
}

/** The first part of the expression that is not arithmetic or logic over numbers. */
function firstRefused(node: Node): ConditionError | null {
  const { op, args, range } = node as { op: string; args: unknown; range: { start: number } };
  if (!OPERATORS.has(op))
    return { message: `not supported here: ${op === 'rcall' ? 'a method' : op}`, at: range.start };
  if (op === 'value' && !['number', 'bigint', 'boolean'].includes(typeof args))
    return { message: 'only numbers and true or false', at: range.start };
  if (op === 'call') {
    const [name, given] = args as [string, Node[]];
    if (!FUNCTIONS.has(name)) return { message: `unknown function: ${name}`, at: range.start };
    return firstOf(given);
  }
  if (op === 'value' || op === 'id') return null;
  return firstOf(Array.isArray(args) ? (args as Node[]) : [args as Node]);
}

function firstOf(nodes: readonly Node[]): ConditionError | null {
  for (const node of nodes) {
    const refused = firstRefused(node);
    if (refused) return refused;
  }
  return null;
}
