import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestApp, PASSWORD, type TestApp } from '../../testing/test-web.ts';

let web: TestApp;
const anonymous = { 'accept-language': 'en' };

beforeEach(async () => {
  web = await createTestApp();
});
afterEach(() => web.stop());

const logIn = (username: string, password: string, headers: Record<string, string> = anonymous) =>
  web.ask('POST', 'session', headers, { username, password });

/** As log-in from another machine looks to the server. */
const fromElsewhere = (payload: object) =>
  web.app.inject({ method: 'POST', url: '/api/v1/session', payload, remoteAddress: '192.0.2.7', headers: anonymous });

describe('log-in', () => {
  it('gives a cookie that scripts and other sites cannot use, and says who is logged in', async () => {
    const person = await web.addPerson('operator', '/c/t1/');
    const { status, body, headers } = await logIn(person.username, PASSWORD);
    expect(status).toBe(200);
    expect(body).toMatchObject({ person: { id: person.id, role: 'operator', scope: '/c/t1/' }, via: 'session' });
    expect(body.permissions).toContain('alarm.acknowledge');
    expect(JSON.stringify(body)).not.toContain('argon2');
    const cookie = String(headers['set-cookie']);
    expect(cookie).toMatch(/^smartfire=[\w-]{43};.*HttpOnly; SameSite=Strict/);
    const session = await web.ask('GET', 'session', { cookie: cookie.split(';')[0]! });
    expect(session.body).toEqual(body);
  });

  it('answers an unknown user and a wrong password alike', async () => {
    const { username } = await web.addPerson('operator');
    const wrong = await logIn(username, 'not the password');
    const unknown = await logIn('nobody', 'not the password');
    expect(wrong.body).toMatchObject({ status: 401, code: 'FIRE_LOGIN_FAILED' });
    expect(unknown.body).toEqual(wrong.body);
  });

  it('refuses a disabled person and one whose time has run out', async () => {
    const { id, username } = await web.addPerson('installer');
    await web.state.db.updateTable('person').set({ valid_until: web.clock.now() }).where('id', '=', id).execute();
    expect((await logIn(username, PASSWORD)).status).toBe(401);
    await web.state.db.updateTable('person').set({ valid_until: null, disabled: 1 }).where('id', '=', id).execute();
    expect((await logIn(username, PASSWORD)).status).toBe(401);
  });

  it('is throttled after five failures, for this user from this address alone, and then for longer and longer', async () => {
    const { username } = await web.addPerson('operator');
    const other = await web.addPerson('operator');
    for (let tries = 0; tries < 5; tries++) expect((await logIn(username, 'wrong')).status).toBe(401);
    const throttled = await logIn(username, PASSWORD);
    expect(throttled.body).toMatchObject({ status: 429, code: 'FIRE_LOGIN_THROTTLED', params: { seconds: 15 } });
    expect(throttled.headers['retry-after']).toBe('15');
    expect((await logIn(other.username, PASSWORD)).status).toBe(200);
    web.clock.advance(15_000);
    expect((await logIn(username, 'wrong')).status).toBe(401);
    expect((await logIn(username, PASSWORD)).body.params.seconds).toBe(30);
    web.clock.advance(30_000);
    expect((await logIn(username, PASSWORD)).status).toBe(200);
  });

  it('counts many tries at once like many in a row', async () => {
    const { username } = await web.addPerson('operator');
    const answers = await Promise.all(Array.from({ length: 12 }, () => logIn(username, 'wrong')));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7);
  });

  it('over plain http is taken from this machine only', async () => {
    const { username } = await web.addPerson('operator');
    const refused = await fromElsewhere({ username, password: PASSWORD });
    expect(refused.json()).toMatchObject({ status: 403, code: 'FIRE_LOGIN_INSECURE' });
  });

  it('from another web site is refused, from our own taken', async () => {
    const { username } = await web.addPerson('operator');
    const own = { ...anonymous, host: 'centre.example:8080' };
    const foreign = await logIn(username, PASSWORD, { ...own, origin: 'http://evil.example' });
    expect(foreign.body).toMatchObject({ status: 403, code: 'FIRE_ORIGIN_REFUSED' });
    expect((await logIn(username, PASSWORD, { ...own, origin: 'null' })).status).toBe(403);
    expect((await logIn(username, PASSWORD, { ...own, origin: 'http://centre.example:8080' })).status).toBe(200);
    expect((await logIn(username, PASSWORD, { ...own, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });
});

it('binds the cookie to the host and to https behind TLS', async () => {
  const secure = await createTestApp((deps) => ({
    ...deps,
    config: { ...deps.config, PUBLIC_URL: 'https://centre.example' },
  }));
  const { username } = await secure.addPerson('operator');
  const headers = { origin: 'https://centre.example' };
  const answer = await secure.ask('POST', 'session', headers, { username, password: PASSWORD });
  expect(String(answer.headers['set-cookie'])).toMatch(
    /^__Host-smartfire=.*Path=\/;.*HttpOnly; Secure; SameSite=Strict/,
  );
  await secure.stop();
});

describe('a session', () => {
  it('ends with log-out on the server, not only in the browser', async () => {
    const headers = await web.login('operator');
    expect((await web.ask('DELETE', 'session', headers)).status).toBe(204);
    expect((await web.ask('GET', 'session', headers)).body).toMatchObject({ status: 401, code: 'FIRE_LOGIN_REQUIRED' });
    expect(await web.state.db.selectFrom('session').selectAll().execute()).toEqual([]);
  });

  it('ends by itself', async () => {
    const headers = await web.login('operator');
    web.clock.advance(31 * 86_400_000);
    expect((await web.ask('GET', 'session', headers)).status).toBe(401);
  });

  it('survives a restart, by its hash alone', async () => {
    const headers = await web.login('operator');
    await web.context.credentials.load();
    expect((await web.ask('GET', 'session', headers)).status).toBe(200);
    const [row] = await web.state.db.selectFrom('session').selectAll().execute();
    expect(headers.cookie).not.toContain(row!.id_hash);
  });

  it('changes the password of its own person, ending the other sessions', async () => {
    const person = await web.addPerson('operator');
    const sessions = await Promise.all([1, 2].map(() => web.context.credentials.startSession(person, 'test')));
    const [mine, other] = sessions.map(({ value }) => ({ cookie: `smartfire=${value}` }));
    const change = (current: string, password: string) =>
      web.ask('POST', 'session/password', mine!, { current, password });
    expect((await change('wrong', 'a new long password')).body.code).toBe('FIRE_LOGIN_FAILED');
    expect((await change(PASSWORD, 'too short')).body).toMatchObject({ code: 'FIRE_REQUEST_INVALID' });
    expect((await change(PASSWORD, 'a new long password')).status).toBe(204);
    expect((await web.ask('GET', 'session', mine!)).status).toBe(200);
    expect((await web.ask('GET', 'session', other!)).status).toBe(401);
    expect((await logIn(person.username, 'a new long password')).status).toBe(200);
  });
});

describe('set-up', () => {
  const body = { username: 'first', name: '管理员', password: PASSWORD, area: { name: '县' } };
  const setUp = (token: string | null) => web.ask('POST', 'setup', anonymous, { ...body, token });

  it('makes the first administrator with the latest link, once, and logs in', async () => {
    const old = await web.context.setup.token();
    const token = await web.context.setup.token();
    expect((await web.ask('GET', 'setup', anonymous)).body).toEqual({ open: true });
    expect((await setUp(old)).body.code).toBe('FIRE_SETUP_DONE');
    const done = await setUp(token);
    expect(done).toMatchObject({
      status: 201,
      body: { person: { role: 'administrator', scope: '/' }, area: { level: 'city', name: '县' } },
    });
    const cookie = String(done.headers['set-cookie']).split(';')[0]!;
    expect((await web.ask('GET', 'users', { cookie })).body.items).toHaveLength(1);
    expect((await setUp(token)).body.code).toBe('FIRE_SETUP_DONE');
    expect(await web.context.setup.token()).toBe(null);
    expect((await web.ask('GET', 'setup', anonymous)).body).toEqual({ open: false });
  });
});
