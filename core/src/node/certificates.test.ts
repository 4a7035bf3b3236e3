import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { expect, it } from 'vitest';
import { loadCertificates } from './certificates.ts';
import { systemClock } from './clock.ts';

it('makes a private CA once, whose server certificate a client that trusts the CA accepts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  const config = { DATA_DIR: folder, TLS_CERT: undefined, TLS_KEY: undefined, TLS_CLIENT_CA: undefined };
  const first = await loadCertificates(config, systemClock);
  const again = await loadCertificates(config, systemClock);
  expect(again.cert).toBe(first.cert);
  const server = createServer({ cert: first.cert, key: first.key }, (socket) => socket.end('hello'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { readFileSync } = await import('node:fs');
  const { port } = server.address() as { port: number };
  const said = await new Promise<string>((done, fail) => {
    connect({ port, host: '127.0.0.1', ca: readFileSync(first.privateCa!) })
      .on('error', fail)
      .on('data', (data) => done(String(data)));
  });
  expect(said).toBe('hello');
  server.close();
  const later = { ...systemClock, now: () => Date.now() + 390 * 86_400_000 };
  expect((await loadCertificates(config, later)).cert).not.toBe(first.cert);
  rmSync(folder, { recursive: true });
});
