import { describe, expect, it } from 'vitest';
import { ApiError, createApi, queryString } from './client.ts';
import { fieldProblems } from './problems.ts';

function api(answer: () => Response | Promise<Response>) {
  const seen: { url: string; init: RequestInit }[] = [];
  let loggedOut = 0;
  const client = createApi({
    fetch: async (url, init) => {
      seen.push({ url: String(url), init: init ?? {} });
      return answer();
    },
    language: () => 'en',
    onLoggedOut: () => loggedOut++,
  });
  return { client, seen, loggedOut: () => loggedOut };
}
const problem = (status: number, body: object) => new Response(JSON.stringify(body), { status });

describe('the API client', () => {
  it('asks in the language the person reads and leaves out what is not set', async () => {
    const { client, seen } = api(() => new Response('{"items":[]}'));
    await client.get('alarms', { class: ['fire', 'fault'], state: [], from: undefined, q: '', limit: 5 });
    expect(seen[0]!.url).toBe('/api/v1/alarms?class=fire%2Cfault&limit=5');
    expect(new Headers(seen[0]!.init.headers).get('accept-language')).toBe('en');
  });

  it('hands on the server’s own sentence and code', async () => {
    const { client } = api(() => problem(409, { code: 'FIRE_ALARM_CLOSED', detail: 'The alarm is already closed.' }));
    const error = await client.post('alarms/a/close').catch((refused: ApiError) => refused);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 409, code: 'FIRE_ALARM_CLOSED', message: 'The alarm is already closed.' });
  });

  it('says when the session has ended', async () => {
    const { client, loggedOut } = api(() => problem(401, { code: 'FIRE_LOGIN_REQUIRED' }));
    await client.get('alarms').catch(() => {});
    expect(loggedOut()).toBe(1);
  });

  it('says a sentence of its own when nobody answers, or somebody answers nonsense', async () => {
    const away = await api(() => Promise.reject(new TypeError('network')))
      .client.get<never>('x')
      .catch((refused: ApiError) => refused);
    expect(away.code).toBe('UNREACHABLE');
    const nonsense = await api(() => new Response('<html>', { status: 502 }))
      .client.get<never>('x')
      .catch((refused: ApiError) => refused);
    expect(nonsense.message).toContain('502');
  });
});

it('an empty query is no question mark', () => expect(queryString({})).toBe(''));

it('hands the server’s words about a field to that field', () => {
  const problems = [
    { path: 'definition.limit', message: 'too low' },
    { path: 'definition.limit', message: 'no unit' },
    { path: 'scope.site', message: 'unknown' },
  ];
  const error = new ApiError(400, 'FIRE_RULE_INVALID', 'no', { problems });
  expect(fieldProblems(error, ['definition.'])).toEqual({ limit: 'too low; no unit', 'scope.site': 'unknown' });
  expect(fieldProblems(new TypeError('x'))).toEqual({});
});
