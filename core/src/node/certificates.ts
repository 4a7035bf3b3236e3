import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { generate } from 'selfsigned';
import type { Clock } from '../ports/clock.ts';
import type { Config } from './config.ts';

export interface Certificates {
  /** PEM. */
  cert: string;
  key: string;
  /** PEM of the CA whose client certificates devices may log in with, if any. */
  clientCa: string | undefined;
  /** Path of the CA to give to devices and browsers when we made our own; null when TLS_CERT is configured. */
  privateCa: string | null;
}

const DAY = 86_400_000;
const CA_DAYS = 3650;
/** Server certificates of our own CA are renewed at a start within the last month of their life. */
const SERVER_DAYS = 397;
const RENEW_BEFORE = 30 * DAY;

/** The configured certificates; without them a private CA in `DATA_DIR/tls`, and a server certificate of it for this machine's addresses. */
export async function loadCertificates(
  config: Pick<Config, 'TLS_CERT' | 'TLS_KEY' | 'TLS_CLIENT_CA' | 'DATA_DIR'>,
  clock: Clock,
): Promise<Certificates> {
  const clientCa = config.TLS_CLIENT_CA ? readFileSync(config.TLS_CLIENT_CA, 'utf8') : undefined;
  if (config.TLS_CERT && config.TLS_KEY)
    return {
      cert: readFileSync(config.TLS_CERT, 'utf8'),
      key: readFileSync(config.TLS_KEY, 'utf8'),
      clientCa,
      privateCa: null,
    };
  const folder = resolve(config.DATA_DIR, 'tls');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const now = clock.now();
  const file = (name: string) => join(folder, name);
  const keep = (name: string, text: string) => writeFileSync(file(name), text, { mode: 0o600 });
  const dates = (days: number) => ({ notBeforeDate: new Date(now - DAY), notAfterDate: new Date(now + days * DAY) });
  const kind = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

  if (!existsSync(file('ca.pem')) || !existsSync(file('ca-key.pem'))) {
    const ca = await generate([{ name: 'commonName', value: 'smart-fire private CA' }], {
      ...kind,
      ...dates(CA_DAYS),
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      ],
    });
    keep('ca-key.pem', ca.private);
    keep('ca.pem', ca.cert);
  }
  if (!stillGood(file('server.pem'), now)) {
    const ca = { key: readFileSync(file('ca-key.pem'), 'utf8'), cert: readFileSync(file('ca.pem'), 'utf8') };
    const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    const server = await generate([{ name: 'commonName', value: 'smart-fire' }], {
      ...kind,
      ...dates(SERVER_DAYS),
      ca,
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: 'localhost' },
            ...[...new Set(['127.0.0.1', '::1', ...addresses])]
              .filter((ip) => !ip.includes('%'))
              .map((ip) => ({ type: 7, ip }) as const),
          ],
        },
      ],
    });
    keep('server-key.pem', server.private);
    keep('server.pem', server.cert);
  }
  return {
    cert: readFileSync(file('server.pem'), 'utf8'),
    key: readFileSync(file('server-key.pem'), 'utf8'),
    clientCa,
    privateCa: file('ca.pem'),
  };
}

function stillGood(certificate: string, now: number): boolean {
  if (!existsSync(certificate)) return false;
  return new Date(new X509Certificate(readFileSync(certificate)).validTo).getTime() - now > RENEW_BEFORE;
}
