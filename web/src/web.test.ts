import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCertificates, systemClock } from '@smart-fire/core/node';
import { expect, it } from 'vitest';
import { createPerson } from './create-person.ts';
import { createTestDeps, PASSWORD } from './testing/test-web.ts';
import { createWeb } from './web.ts';

it('gives a one-time set-up link until there is an administrator', async () => {
  const { deps, state } = await createTestDeps();
  const web = createWeb(deps);
  await web.start();
  const link = await web.setupLink();
  expect(link).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${web.address()}/setup#[\\w-]{32}$`));
  await createPerson(state, { username: 'a', name: 'a', role: 'administrator', scope: '/', password: PASSWORD });
  expect(await web.setupLink()).toBe(null);
  await web.stop();
  await state.close();
});

it('stops clean when its port is taken, and can be stopped twice', async () => {
  const first = await createTestDeps();
  const web = createWeb(first.deps);
  await web.start();
  const second = await createTestDeps();
  const late = createWeb({ ...second.deps, config: { ...second.deps.config, WEB_PORT: web.address() } });
  await expect(late.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await late.stop();
  await late.stop();
  expect(second.clock.timers).toBe(0);
  await web.stop();
  await first.state.close();
  await second.state.close();
});

it('serves https where a certificate is configured, with a cookie bound to host and https', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'web-'));
  const tls = await loadCertificates(
    { DATA_DIR: dataDir, TLS_CERT: undefined, TLS_KEY: undefined, TLS_CLIENT_CA: undefined },
    systemClock,
  );
  const { deps, state } = await createTestDeps();
  await createPerson(state, { username: 'a', name: 'a', role: 'operator', scope: '/', password: PASSWORD });
  const web = createWeb({ ...deps, tls, config: { ...deps.config, TLS_CERT: 'configured' } });
  await web.start();
  const ca = readFileSync(tls.privateCa!);
  const cookie = await new Promise<string>((resolve, reject) => {
    const ask = request(
      { ...{ host: '127.0.0.1', port: web.address(), path: '/api/v1/session', method: 'POST', ca } },
      (response) => {
        response.resume();
        resolve(String(response.headers['set-cookie']));
      },
    );
    ask.on('error', reject);
    ask.setHeader('content-type', 'application/json');
    ask.end(JSON.stringify({ username: 'a', password: PASSWORD }));
  });
  expect(cookie).toMatch(/^__Host-smartfire=.*HttpOnly; Secure; SameSite=Strict/);
  await web.stop();
  await state.close();
  rmSync(dataDir, { recursive: true });
});
