import { createHash, timingSafeEqual } from 'node:crypto';
import type { RegisteredDevice, Registry } from '@smart-fire/core';
import type { Connection } from './connection.ts';
import type { RefusalReason, Refusals } from './refusals.ts';

/** CONNACK return codes [MQTT 3.1.1 table 3.1]. */
export const CONNACK = { identifierRejected: 2, badCredentials: 4, notAuthorized: 5 } as const;

export type Verdict =
  | { accepted: true; device: RegisteredDevice | null }
  | { accepted: false; code: (typeof CONNACK)[keyof typeof CONNACK] };

const sha256 = (secret: Buffer): Buffer => createHash('sha256').update(secret).digest();
/** Compared with when there is no such device, so that the answer takes as long. */
const NOBODY = Buffer.alloc(32);

/**
 * Who is it? A client certificate's name counts before a user name; otherwise the secret's SHA-256 is compared in constant time
 * (secrets are ours and hold 128 random bits: no slow hash is needed, and ten thousand devices may reconnect at once).
 */
export function createAuthenticate(deps: { registry: Registry; refusals: Refusals; open: boolean }) {
  const { registry, refusals, open } = deps;

  return (connection: Connection, user: string, password: Buffer | undefined): Verdict => {
    const { remote, certificateName } = connection;
    const device = registry.devices.get(user) ?? null;
    const refuse = (reason: RefusalReason, code: (typeof CONNACK)[keyof typeof CONNACK], detail?: string): Verdict => {
      const said = detail ?? (device ? undefined : `user name ${JSON.stringify(user.slice(0, 64))}`);
      refusals.note({ reason, device: device?.id ?? null, remote, ...(said !== undefined && { detail: said }) });
      return { accepted: false, code };
    };
    if (connection.refuseWith !== null)
      return refuse('client-id', CONNACK.identifierRejected, 'no client id, or one longer than MQTT 3.1 allows');
    if (open) return { accepted: true, device };
    if (certificateName === null) {
      const given = sha256(password ?? Buffer.alloc(0));
      const kept = device ? Buffer.from(device.secretHash, 'hex') : NOBODY;
      const right = kept.length === given.length && timingSafeEqual(given, kept);
      if (!device || !right || !password?.length) return refuse('credentials', CONNACK.badCredentials);
    } else if (!device)
      return refuse('credentials', CONNACK.badCredentials, `no device ${certificateName} (certificate)`);
    if (device.disabled) return refuse('disabled', CONNACK.notAuthorized);
    return { accepted: true, device };
  };
}
