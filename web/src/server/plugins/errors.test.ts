import { MetricsRegistry } from '@smart-fire/core/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../testing/test-web.ts';
import { languageOf } from './errors.ts';

let web: TestApp;
let admin: Record<string, string>;

beforeEach(async () => {
  web = await createTestApp();
  admin = await web.login('administrator');
});
afterEach(() => web.stop());

it.each([
  [undefined, 'zh'],
  ['en', 'en'],
  ['en-GB,en;q=0.9', 'en'],
  ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
  ['fr,en;q=0.5,zh;q=0.3', 'en'],
  ['fr, *;q=0.1', 'zh'],
  ['en;q=0', 'zh'],
])('answers Accept-Language %s in %s', (header, language) => {
  expect(languageOf(header)).toBe(language);
});

describe('an error', () => {
  it('is a problem with a stable code, in the language asked for', async () => {
    const [en, zh] = await Promise.all(
      ['en', 'zh-CN'].map((language) => web.ask('GET', 'devices/none', { ...admin, 'accept-language': language })),
    );
    expect(en!.headers['content-type']).toBe('application/problem+json');
    expect(en!.body).toEqual({
      ...{ type: 'about:blank', title: 'Not Found', status: 404, code: 'FIRE_NOT_FOUND' },
      ...{ detail: 'Device none does not exist, or is outside your area.', instance: '/api/v1/devices/none' },
    });
    expect(zh!.body).toMatchObject({ code: 'FIRE_NOT_FOUND', detail: '设备 none 不存在,或不在您的辖区内。' });
    expect(zh!.headers['content-language']).toBe('zh');
  });

  it('in a request names each field that is wrong', async () => {
    const body = { kind: 5, site: 's1', colour: 'red' };
    const { status, body: problem } = await web.ask('POST', 'devices', admin, body);
    expect(status).toBe(400);
    expect(problem.code).toBe('FIRE_REQUEST_INVALID');
    expect(problem.problems.map(({ path }: { path: string }) => path)).toContain('kind');
    expect(problem.detail).toContain('colour');
    const zh = await web.ask(
      'POST',
      'session/password',
      { ...admin, 'accept-language': 'zh' },
      { current: 'x', password: 'short' },
    );
    expect(zh.body.problems).toEqual([{ path: 'password', message: expect.stringMatching(/[\u4e00-\u9fff]/) }]);
  });

  it('of ours is hidden behind an id', async () => {
    web.journal.deadLetters = () => Promise.reject(new Error('secret detail at /var/lib'));
    const { status, text, body } = await web.ask('GET', 'dead-letters', admin);
    expect([status, body.code]).toEqual([500, 'FIRE_INTERNAL']);
    expect(text).not.toContain('secret detail');
    expect(body.detail).toContain(body.params.id);
  });

  it.each([
    ['no JSON', { headers: { 'content-type': 'application/json' }, payload: '{"a":' }, 400],
    ['another type', { headers: { 'content-type': 'text/xml' }, payload: '<a/>' }, 415],
    ['too much', { headers: { 'content-type': 'application/json' }, payload: `"${'x'.repeat(300_000)}"` }, 413],
    ['a prototype', { headers: { 'content-type': 'application/json' }, payload: '{"__proto__":{"admin":true}}' }, 400],
  ])('for a body that is %s is a problem, too', async (_, { headers, payload }, status) => {
    const response = await web.app.inject({ method: 'POST', url: '/api/v1/session', headers, payload });
    expect([response.statusCode, response.headers['content-type']]).toEqual([status, 'application/problem+json']);
  });

  it('for an unknown address of the API is a problem, not the console', async () => {
    for (const url of ['/api/v1/nothing', '/api', '/api/v2/alarms', '/mqtt'])
      expect((await web.ask('GET', url, { ...admin, accept: 'text/html' })).body).toMatchObject({
        code: 'FIRE_NOT_FOUND',
      });
    expect((await web.ask('POST', '/console', admin, {})).body).toMatchObject({ code: 'FIRE_NOT_FOUND' });
  });

  it('never leads out of the console’s folder', async () => {
    for (const url of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
      '/assets/..%2f..%2fpackage.json',
      '/%00',
      '/%',
    ])
      expect((await web.ask('GET', url, {})).text).not.toContain('@smart-fire/web');
  });
});

it('limits requests per person, and says how long to wait', async () => {
  const one = await web.login('operator');
  for (let count = 0; count < 1200; count++) await web.ask('GET', 'metrics-catalogue', one);
  const refused = await web.ask('GET', 'metrics-catalogue', one);
  expect(refused.body).toMatchObject({ status: 429, code: 'FIRE_RATE_LIMITED' });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect((await web.ask('GET', 'metrics-catalogue', admin)).status).toBe(200);
});

it('sends a strict content security policy and no server names', async () => {
  const { headers } = await web.ask('GET', '/healthz', {});
  expect(headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
  expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['x-powered-by']).toBeUndefined();
});

describe('probes', () => {
  const part = (level: 'degraded' | 'failed') => ({
    ...{ part: 'readings', level, since: 1, sentence: { zh: '不在', en: 'away' }, figures: { lag: 3 } },
  });

  it('are ready while PUBACKs can be given, whatever is degraded', async () => {
    expect((await web.ask('GET', '/healthz', {})).body).toEqual({ status: 'ok' });
    web.health.push(part('degraded'));
    const degraded = await web.ask('GET', '/readyz', {});
    expect(degraded).toMatchObject({
      status: 200,
      body: { ready: true, degraded: [{ part: 'readings', level: 'degraded' }] },
    });
    web.health.push(part('failed'));
    expect(await web.ask('GET', '/readyz', {})).toMatchObject({ status: 503, body: { ready: false } });
  });

  it('give metrics to this machine, and to others with a token of someone who may read health', async () => {
    expect(web.metrics).toBeInstanceOf(MetricsRegistry);
    const { secret } = (await web.ask('POST', 'tokens', await web.login('operator'), { name: 'prometheus' })).body;
    const from = (remoteAddress: string, headers = {}) => web.app.inject({ url: '/metrics', remoteAddress, headers });
    expect((await from('127.0.0.1')).body).toContain('smartfire_http_request_seconds');
    expect((await from('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' })).statusCode).toBe(401);
    expect((await from('192.0.2.1')).statusCode).toBe(401);
    expect((await from('192.0.2.1', { authorization: `Bearer ${secret}` })).statusCode).toBe(200);
  });
});
