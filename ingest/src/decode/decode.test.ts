import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvent } from './event.ts';
import { textOf } from './payload.ts';
import { Problems } from './problems.ts';
import { decodeState } from './state.ts';
import { decodeTelemetry } from './telemetry.ts';

function telemetry(payload: string | Buffer) {
  const problems = new Problems();
  const items = decodeTelemetry(textOf(Buffer.from(payload)), problems);
  return { items, problems: problems.described(), code: problems.code };
}

describe('telemetry', () => {
  it('takes the object of the protocol', () => {
    expect(telemetry('{"ts":1,"seq":2,"point":"1-2","values":{"temperature":21.5,"battery":-0}}').items).toEqual([
      { ts: 1, seq: 2, point: '1-2', index: null, metrics: [1, 11], values: [21.5, -0] },
    ]);
  });

  it('reads text beyond ASCII as UTF-8', () => {
    expect(telemetry('{"point":"三楼东","values":{}}').items[0]!.point).toBe('三楼东');
  });

  it('refuses what is no UTF-8', () => {
    expect(telemetry(Buffer.from([0x7b, 0x22, 0xe4, 0x22, 0x7d])).code).toBe('NOT_UTF8');
  });

  it.each(['', '{', 'NaN', '{"values":{"temperature":NaN}}', '\u0000', '\ufeff{}'])('refuses %j as no JSON', (text) => {
    expect(telemetry(text)).toMatchObject({ items: [], code: 'NOT_JSON' });
  });

  it.each(['1e999', '-1e999', '"21"', 'null', 'true', '[1]', '{"a":1}'])(
    'refuses the value %s and keeps its neighbour',
    (value) => {
      const { items, problems } = telemetry(`{"values":{"co":${value},"temperature":7}}`);
      expect(items[0]).toMatchObject({ metrics: [1], values: [7] });
      expect(problems).toMatchObject([{ code: 'NOT_A_NUMBER', path: 'values.co' }]);
    },
  );

  it('takes no metric from a prototype', () => {
    const { items, problems } = telemetry('{"values":{"__proto__":{"temperature":1},"constructor":2,"toString":3}}');
    expect(items[0]!.values).toEqual([]);
    expect(problems.map(({ code }) => code)).toEqual(['UNKNOWN_METRIC', 'UNKNOWN_METRIC', 'UNKNOWN_METRIC']);
    expect(telemetry('{"__proto__":{"values":{"temperature":1}}}').items).toEqual([]);
  });

  it('cuts a huge key in what it says of it', () => {
    const { problems } = telemetry(`{"values":{"${'x'.repeat(100_000)}":1}}`);
    expect(problems[0]!.path.length).toBeLessThanOrEqual(100);
  });

  it('describes twenty problems and counts the rest', () => {
    const values = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`m${i}`, i]));
    const { problems } = telemetry(JSON.stringify({ values }));
    expect(problems).toHaveLength(20);
    expect(problems[19]!.detail).toContain('480 more');
  });

  it('survives 128 Ki levels of nesting', () => {
    expect(telemetry('['.repeat(131_072) + ']'.repeat(131_072)).items).toEqual([]);
    expect(telemetry('['.repeat(262_144)).code).toBe('NOT_JSON');
  });

  it('takes the last of two equal keys, as JSON.parse does', () => {
    expect(telemetry('{"values":{"co":1,"co":2}}').items[0]!.values).toEqual([2]);
  });

  it('takes up to 1,000 items of an array in the order of their ts', () => {
    const items = Array.from({ length: 1000 }, (_, i) => ({ ts: 1000 - i, values: { co: i } }));
    const decoded = telemetry(JSON.stringify(items)).items;
    expect(decoded.map(({ ts }) => ts)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    expect(decoded[0]!.index).toBe(999);
    expect(telemetry(JSON.stringify([...items, items[0]])).code).toBe('TOO_MANY');
  });

  it('wants ts in every item of an array, and says which has none', () => {
    const { items, problems } = telemetry('[{"ts":1,"values":{"co":1}},{"values":{"co":2}}]');
    expect(items).toHaveLength(1);
    expect(problems).toMatchObject([{ code: 'TS_REQUIRED', index: 1, path: '[1].ts' }]);
  });

  it('refuses an item whose time is no integer: what its values belong to is not known', () => {
    expect(telemetry('{"ts":"2026-01-01","values":{"co":1}}')).toMatchObject({
      items: [],
      problems: [{ code: 'SHAPE', path: 'ts' }],
    });
  });

  it.each(['\\u0007', '\\ud800', '\\u202e', '\\ue000', 'x'.repeat(65)])('refuses the point "%s"', (point) => {
    expect(telemetry(`{"point":"${point}","values":{"co":1}}`)).toMatchObject({ items: [], code: 'BAD_POINT' });
  });

  it('never throws on garbage, and says what is wrong with whatever it does not take', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (bytes) => {
          const { items, problems } = telemetry(Buffer.from(bytes));
          expect(items.length > 0 || problems.length > 0 || Buffer.from(bytes).toString().trim() === '[]').toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('events', () => {
  const event = (text: string) => {
    const problems = new Problems();
    return { event: decodeEvent(text, problems), problems: problems.described() };
  };

  it('keeps a fire whatever else the device got wrong', () => {
    const { event: fire, problems } = event(
      `{"event":"fire","ts":"now","seq":1.5,"point":"\\u0000","detail":"${'x'.repeat(1001)}"}`,
    );
    expect(fire).toEqual({ ts: null, badTs: true, seq: null, point: '', event: 'fire', detail: null });
    expect(problems.map(({ path }) => path)).toEqual(['ts', 'seq', 'point', 'detail']);
  });

  it.each(['FIRE', '', 'two words', 7, null])('refuses %j as event', (word) => {
    expect(event(JSON.stringify({ event: word }))).toMatchObject({
      event: null,
      problems: [{ code: 'BAD_EVENT', path: 'event' }],
    });
  });

  it('keeps a word it does not know', () => {
    expect(event('{"event":"door-open"}').event!.event).toBe('door-open');
  });
});

it('takes an empty state as the end of a retained one', () => {
  const problems = new Problems();
  expect(decodeState('', problems)).toBe(null);
  expect(problems.count).toBe(0);
  expect(decodeState('{"online":false,"rssi":-70}', problems)).toBe(false);
  expect(decodeState('{"online":"yes"}', problems)).toBe(null);
  expect(problems.code).toBe('SHAPE');
});
