import { expect, test } from 'vitest';
import { LinesRefused, parseInfluxUrl } from './influx-http.ts';
import { line, lineHead, seriesQuery } from './lines.ts';
import { sendLines } from './send-lines.ts';

test('a line is escaped so that it means one series whatever its names hold', () => {
  const head = lineHead({ device: 'a', point: 'x y,z="q"\\\n%5c楼', metric: 'co' });
  expect(head).toBe('co,device=a,point=x\\ y\\,z\\="q"%5c%0a%255c楼');
  expect(lineHead({ device: 'a', point: '', metric: 'co' })).toBe('co,device=a');
  expect(line('co,device=a', 1.7e12, -0)).toBe('co,device=a value=-0 1700000000000');
  expect(line('co,device=a', 1.7e12, 1e21)).toBe('co,device=a value=1e+21 1700000000000');
  expect(seriesQuery({ device: 'a', point: "o'clock\\", metric: 'co' }).where).toBe(
    "device = 'a' AND point = 'o\\'clock%5c'",
  );
});

test.each([
  ['influx://db:8086/fire', { url: 'http://db:8086', database: 'fire', version: 1, org: '', authorization: null }],
  [
    'influx://u:p%40@db/fire?tls=1',
    { url: 'https://db', database: 'fire', version: 1, org: '', authorization: 'Basic dTpwQA==' },
  ],
  [
    'influx://tok%3Den@db:1/b?version=2&org=o',
    { url: 'http://db:1', database: 'b', version: 2, org: 'o', authorization: 'Token tok=en' },
  ],
])('%s is understood', (url, target) => {
  expect(parseInfluxUrl(url)).toEqual(target);
});

/** A server that stores nothing of a request with a bad line, and says about it what `say` says. */
function server(isBad: (line: string) => boolean, say: (bad: string[]) => string) {
  const stored = new Set<string>();
  let requests = 0;
  const write = async (lines: string[]) => {
    requests++;
    const bad = lines.filter(isBad);
    if (bad.length > 0) throw new LinesRefused(say(bad));
    for (const it of lines) stored.add(it);
  };
  return { write, stored, requests: () => requests };
}
const lines = Array.from({ length: 200 }, (_, at) => `co,device=d${at} value=${at} 1`);
const isBad = (text: string) => /d(7|77|177) /.test(text);

test('lines that the server names are refused, the others are stored', async () => {
  const say = (bad: string[]) =>
    JSON.stringify({ error: bad.map((it) => `unable to parse '${it}': invalid number`).join('\n') });
  const { write, stored, requests } = server(isBad, say);
  const refused = await sendLines(lines, write);
  expect([...refused.keys()]).toEqual([7, 77, 177]);
  expect(refused.get(7)).toContain('invalid number');
  expect(stored.size).toBe(197);
  expect(requests()).toBe(2);
});

test('where the server names none, the bad ones are found by halves', async () => {
  const { write, stored } = server(isBad, (bad) => `partial write: field type conflict dropped=${bad.length}`);
  expect([...(await sendLines(lines, write)).keys()]).toEqual([7, 77, 177]);
  expect(stored.size).toBe(197);
});

test('where all are dropped one request is enough', async () => {
  const { write, requests } = server(
    () => true,
    (bad) => `partial write: points beyond retention policy dropped=${bad.length}`,
  );
  expect((await sendLines(lines, write)).size).toBe(200);
  expect(requests()).toBe(1);
});

test('a server that is away is not a refusal', async () => {
  await expect(sendLines(lines, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
});
