import { PERMISSIONS, type Permission, ROLE_PERMISSIONS, ROLES } from '@smart-fire/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAlarm } from '../../testing/fake-book.ts';
import { createTestApp, type TestApp } from '../../testing/test-web.ts';
import { addAuthorization } from './authorization.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Every operation of the API as it describes itself. */
interface Operation {
  method: Method;
  path: string;
  permission: Permission | 'person' | undefined;
}

let web: TestApp;
let operations: Operation[];

beforeAll(async () => {
  web = await createTestApp();
  web.book.put(anAlarm({ id: 'a1' }));
  const { body } = await web.ask('GET', 'openapi.json', {});
  operations = Object.entries(body.paths as Record<string, Record<string, { 'x-permission'?: Permission }>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase() as Method,
        path,
        permission: operation['x-permission'],
      })),
  );
});
afterAll(() => web.stop());

const fill = (path: string) =>
  path
    .replace('/alarms/{id}', '/alarms/a1')
    .replace('/devices/{id}', '/devices/d1')
    .replace(/\{\w+\}/g, 'none');

it('has an operation for every permission of the table', () => {
  const used = new Set(operations.map(({ permission }) => permission));
  expect(PERMISSIONS.filter((permission) => !used.has(permission))).toEqual([]);
});

it('leaves open only what a stranger needs: log-in, set-up, probes', () => {
  const open = operations.filter(({ permission }) => !permission).map(({ method, path }) => `${method} ${path}`);
  expect(open.sort()).toEqual([
    'GET /api/v1/setup',
    'GET /healthz',
    'GET /readyz',
    'POST /api/v1/session',
    'POST /api/v1/setup',
  ]);
});

it('asks a stranger to log in everywhere else', async () => {
  for (const { method, path } of operations.filter(({ permission }) => permission)) {
    const { status, body } = await web.ask(method, fill(path), {});
    expect([method, path, status, body.code]).toEqual([method, path, 401, 'FIRE_LOGIN_REQUIRED']);
  }
});

describe.each(ROLES)('the role %s', (role) => {
  it('is let through to exactly what the permission table gives it', async () => {
    const headers = await web.login(role);
    const guarded = operations.filter(({ path }) => path !== '/api/v1/session' && path !== '/api/v1/session/password');
    for (const { method, path, permission } of guarded) {
      if (!permission || permission === 'person') continue;
      const { body } = await web.ask(method, fill(path), headers, method === 'GET' ? undefined : { nonsense: true });
      const refused = body?.code === 'FIRE_PERMISSION_DENIED';
      expect([method, path, refused]).toEqual([method, path, !ROLE_PERMISSIONS[role].includes(permission)]);
    }
  });
});

it('does not start with a route that declares no permission', async () => {
  const { default: Fastify } = await import('fastify');
  const app = Fastify();
  addAuthorization(app as never);
  expect(() => app.get('/forgotten', async () => 'everything')).toThrow('GET /forgotten declares no permission');
});

describe('an API token', () => {
  it('has the rights of its person, shows its secret once, and ends at once when deleted', async () => {
    const session = await web.login('duty-lead');
    const made = await web.ask('POST', 'tokens', session, { name: 'export' });
    expect(made.status).toBe(201);
    const bearer = { authorization: `Bearer ${made.body.secret}` };
    expect((await web.ask('GET', 'session', bearer)).body).toMatchObject({
      via: 'token',
      person: { role: 'duty-lead' },
    });
    expect((await web.ask('GET', 'alarms', bearer)).status).toBe(200);
    expect((await web.ask('POST', 'sites', bearer, {})).body.code).toBe('FIRE_PERMISSION_DENIED');
    const listed = await web.ask('GET', 'tokens', session);
    expect(listed.text).not.toContain(made.body.secret);
    const stored = await web.state.db.selectFrom('token').selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(made.body.secret);
    expect((await web.ask('DELETE', `tokens/${made.body.token.id}`, session)).status).toBe(204);
    expect((await web.ask('GET', 'alarms', bearer)).status).toBe(401);
  });

  it('cannot make another one, change a password or a person', async () => {
    const session = await web.login('administrator');
    const { secret } = (await web.ask('POST', 'tokens', session, { name: 'script' })).body;
    const bearer = { authorization: `Bearer ${secret}` };
    for (const url of ['tokens', 'users', 'session/password'])
      expect((await web.ask('POST', url, bearer, {})).body.code).toBe('FIRE_TOKEN_REFUSED');
  });

  it('runs out', async () => {
    const session = await web.login('operator');
    const expiresAt = web.clock.now() + 1000;
    const { secret } = (await web.ask('POST', 'tokens', session, { name: 'short', expiresAt })).body;
    const bearer = { authorization: `Bearer ${secret}` };
    expect((await web.ask('GET', 'alarms', bearer)).status).toBe(200);
    web.clock.advance(1000);
    expect((await web.ask('GET', 'alarms', bearer)).status).toBe(401);
  });

  it('of one person is not seen or deleted by another', async () => {
    const [mine, other] = [await web.login('operator'), await web.login('operator')];
    const { token } = (await web.ask('POST', 'tokens', mine, { name: 'mine' })).body;
    expect((await web.ask('GET', 'tokens', other)).body.items).toEqual([]);
    expect((await web.ask('DELETE', `tokens/${token.id}`, other)).status).toBe(404);
  });
});
