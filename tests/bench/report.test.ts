import { expect, it } from 'vitest';
import { inOrder, table, toJson } from './report.ts';

it('gives promised figures first with what they must reach, and a reason for what has no value', () => {
  const figures = inOrder([
    { key: 'query_day_ms', value: 2, samples: [2] },
    { key: 'tls_vs_tcp', value: 0.7, samples: [0.6, 0.7, 0.9] },
    { key: 'query_day_vs_influx', value: null, samples: [], why: 'influxd is not installed' },
  ]);
  expect(JSON.parse(toJson(figures))).toEqual({
    query_day_vs_influx: { value: null, why: 'influxd is not installed', must: 0.3, aim: 0.1, samples: [] },
    tls_vs_tcp: { value: 0.7, must: 0.6, aim: 0.8, samples: [0.6, 0.7, 0.9] },
    query_day_ms: { value: 2, samples: [2] },
  });
  expect(Object.keys(JSON.parse(toJson(figures)))[0]).toBe('query_day_vs_influx');
  const [first, second] = table(figures);
  expect(first).toContain('influxd is not installed');
  expect(second).toContain('must reached');
});
