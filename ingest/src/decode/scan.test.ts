import { METRIC_NAMES } from '@smart-fire/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkTelemetryItem } from './check.ts';
import { Problems } from './problems.ts';
import { PlainTelemetry } from './scan.ts';

/** What is read of the text amid other bytes, which must not matter; null when it is left to the checker. */
function plain(text: string) {
  const scan = new PlainTelemetry();
  const around = ['', '}', '"', ' 0', '"}}', '"ts":1,"values":{"temperature":2}}'];
  const seen = around.map((after) => {
    const bytes = Buffer.from(`{"ts${text}${after}`);
    const to = bytes.length - Buffer.byteLength(after);
    if (!scan.read(bytes, 4, to)) return null;
    const { ts, seq, point, count } = scan;
    return { ts, seq, point, metrics: [...scan.metrics.slice(0, count)], values: [...scan.values.slice(0, count)] };
  });
  for (const one of seen) expect(one).toEqual(seen[0]);
  return seen[0]!;
}

function checked(text: string) {
  const problems = new Problems();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const item = checkTelemetryItem(json, null, problems);
  if (!item || problems.count > 0) return null;
  const { ts, seq, point, metrics, values } = item;
  return { ts, seq, point, metrics, values };
}

/** Says the same as JSON.parse and the checker, or nothing. */
function agree(text: string): boolean {
  const read = plain(text);
  if (read) expect(read).toEqual(checked(text));
  return read !== null;
}

it('reads what devices send', () => {
  for (const text of [
    '{"ts":1795564800000,"seq":17,"values":{"temperature":21.5,"battery":93}}',
    '{"values":{"smoke_density":0.12}}',
    ' { "ts" : 1795564800000 ,\r\n\t"point":"loop 1/17", "values" : { "temperature" : -0.05 } } \n',
    '{"seq":0,"values":{}}',
  ])
    expect(agree(text)).toBe(true);
});

it('leaves what is not plain to the checker', () => {
  for (const text of [
    '',
    '{}',
    '[]',
    '{"ts":1',
    '{"ts":"1","values":{}}',
    '{"ts":1.5,"values":{}}',
    '{"ts":01,"values":{"temperature":1}}',
    '{"values":{"temperature":1e3}}',
    '{"values":{"temperature":.5}}',
    '{"values":{"temperature":5.}}',
    '{"values":{"temperature":+5}}',
    '{"values":{"temperature":12345678901234567}}',
    '{"values":{"temperature":null}}',
    '{"values":{"temperature":1,"temperature":2}}',
    '{"values":{"Temperature":1}}',
    '{"values":{"temperature":1},"values":{}}',
    '{"values":{"temperature":1}} x',
    '{"values":{"temperature":1},}',
    '{"values":{"temperature":1,}}',
    '{"point":"房间","values":{"temperature":1}}',
    '{"point":"a\\u0041","values":{"temperature":1}}',
    '{"point":"a\u007f","values":{"temperature":1}}',
    `{"point":"${'x'.repeat(65)}","values":{"temperature":1}}`,
    '{"unknown":1,"values":{"temperature":1}}',
    '{"__proto__":{},"values":{"temperature":1}}',
  ])
    expect(agree(text), text).toBe(false);
});

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.integer(), fc.nat({ max: 999_999 })).map(([whole, part]) => `${whole}.${part}`),
  fc.integer().map((value) => value.toFixed(3)),
  fc.maxSafeInteger().map(String),
  fc.constantFrom('-0', '0', '0.1', '1e5', '00', '-', '1.', '9007199254740993'),
);
const field = fc.oneof(
  fc.tuple(fc.constantFrom('ts', 'seq', 'x'), number).map(([key, value]) => `"${key}":${value}`),
  fc.string({ maxLength: 70 }).map((point) => `"point":${JSON.stringify(point)}`),
  fc
    .array(fc.tuple(fc.constantFrom<string>(...METRIC_NAMES, 'x', ''), number), { maxLength: 4 })
    .map((values) => `"values":{${values.map(([name, value]) => `"${name}":${value}`).join(',')}}`),
);
const message = fc.array(field, { maxLength: 4 }).map((fields) => `{${fields.join(',')}}`);

it('says of every number, field and order what the checker says', () => {
  fc.assert(
    fc.property(message, (text) => void agree(text)),
    { numRuns: 5000 },
  );
});

it('is not misled by bytes that are missing, doubled or changed', () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 127 }), (text, from, count, byte) => {
      const at = from % (text.length + 1);
      const cut = at + (count % 3);
      agree(text.slice(0, at));
      agree(text.slice(0, at) + text.slice(cut));
      agree(text.slice(0, at) + String.fromCharCode(byte) + text.slice(cut));
    }),
    { numRuns: 5000 },
  );
});
