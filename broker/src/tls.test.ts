import mqtt from 'mqtt';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startBroker } from './testing/harness.ts';

const kind = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;
const authority = (name: string) =>
  generate([{ name: 'commonName', value: name }], {
    ...kind,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true },
    ],
  });
type Pems = Awaited<ReturnType<typeof authority>>;
const signed = (name: string, ca: Pems) =>
  generate([{ name: 'commonName', value: name }], {
    ...kind,
    ca: { cert: ca.cert, key: ca.private },
    extensions: [
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });

let h: Harness;
let ca: Pems;
let server: Pems;
beforeAll(async () => {
  ca = await authority('test CA');
  server = await signed('127.0.0.1', ca);
});
afterEach(() => h.stop());

describe('MQTT over TLS', () => {
  const start = async (clientCa?: string) => {
    h = await startBroker({ tls: { cert: server.cert, key: server.private, clientCa } });
    return {
      url: `mqtts://127.0.0.1:${h.broker.address().mqtts}`,
      options: { ca: ca.cert, reconnectPeriod: 0 } satisfies mqtt.IClientOptions,
    };
  };

  it('takes a secret, and refuses a wrong one with its code', async () => {
    const { url, options } = await start();
    const client = await mqtt.connectAsync(url, { ...options, username: 'd1', password: 'secret-of-d1' });
    await client.publishAsync('smartfire/v1/d1/telemetry', '{}', { qos: 1 });
    expect(h.intake.messages).toMatchObject([{ device: 'd1' }]);
    await client.endAsync();
    await expect(mqtt.connectAsync(url, { ...options, username: 'd1', password: 'no' })).rejects.toMatchObject({
      code: 4,
    });
  });

  it('takes a client certificate of our client CA as the device of its name, whatever user name is sent', async () => {
    const { url, options } = await start(ca.cert);
    const { cert, private: key } = await signed('d1', ca);
    const client = await mqtt.connectAsync(url, { ...options, cert, key, username: 'd2' });
    await client.publishAsync('smartfire/v1/d1/event', '{"event":"fire"}', { qos: 1 });
    expect(h.intake.messages).toMatchObject([{ device: 'd1', channel: 'event' }]);
    expect([h.broker.connected('d1'), h.broker.connected('d2')]).toEqual([true, false]);
    await client.endAsync();
  });

  it('refuses certificates of strangers, of unknown devices and of disabled ones', async () => {
    const { url, options } = await start(ca.cert);
    const stranger = await authority('another CA');
    for (const [name, by, code] of [
      ['d1', stranger, 4],
      ['nobody', ca, 4],
      ['off', ca, 5],
    ] as const) {
      const { cert, private: key } = await signed(name, by);
      await expect(mqtt.connectAsync(url, { ...options, cert, key })).rejects.toMatchObject({ code });
    }
    expect(h.intake.presences).toEqual([]);
  });
});
