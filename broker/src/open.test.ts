import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Harness, startBroker } from './testing/harness.ts';
import { publish, RawClient, until } from './testing/raw-client.ts';

let h: Harness;
const clients: MqttClient[] = [];
async function connect(options: mqtt.IClientOptions & { url?: string } = {}): Promise<MqttClient> {
  const { url = `mqtt://127.0.0.1:${h.port}`, ...rest } = options;
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...rest });
  clients.push(client);
  return client;
}
const inbox = (client: MqttClient) => {
  const messages: { topic: string; text: string; qos: number; retain: boolean }[] = [];
  client.on('message', (topic, payload, { qos, retain }) =>
    messages.push({ topic, text: String(payload), qos, retain }),
  );
  return messages;
};
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
  await h.stop();
});

describe('an open broker is an ordinary MQTT 3.1.1 broker for a foreign client', () => {
  beforeEach(async () => {
    h = await startBroker({ open: true });
  });

  it('delivers each QoS, the lesser of published and granted, through wildcards', async () => {
    const reader = await connect();
    const got = inbox(reader);
    await reader.subscribeAsync({ 'q0/#': { qos: 0 }, 'q1/+/x': { qos: 1 }, 'q2/#': { qos: 2 } });
    const writer = await connect();
    for (const topic of ['q0/a/x', 'q1/a/x', 'q2/a/x'])
      for (const qos of [0, 1, 2] as const) await writer.publishAsync(topic, `${qos}`, { qos });
    await until(() => got.length === 9, 'nine messages');
    for (const granted of [0, 1, 2])
      expect(
        got
          .filter(({ topic }) => topic === `q${granted}/a/x`)
          .map(({ text, qos }) => [text, qos])
          .sort(),
      ).toEqual(['0', '1', '2'].map((text) => [text, Math.min(Number(text), granted)]));
  });

  it('keeps retained messages, hands them out with the flag, and clears them with an empty one', async () => {
    const writer = await connect();
    await writer.publishAsync('room/1', 'warm', { qos: 1, retain: true });
    await writer.publishAsync('room/2', 'cold', { qos: 2, retain: true });
    const reader = await connect();
    const got = inbox(reader);
    await reader.subscribeAsync('room/+', { qos: 0 });
    await until(() => got.length === 2, 'both');
    expect(got.every(({ retain, qos }) => retain && qos === 0)).toBe(true);
    await writer.publishAsync('room/1', '', { qos: 1, retain: true });
    const later = await connect();
    const gotLater = inbox(later);
    await later.subscribeAsync('room/#');
    await until(() => gotLater.length === 1, 'what is left');
    expect(gotLater[0]).toMatchObject({ topic: 'room/2', text: 'cold' });
  });

  it('publishes the will of a client that is lost or taken over', async () => {
    const reader = await connect();
    const got = inbox(reader);
    await reader.subscribeAsync('wills/#', { qos: 1 });
    const lost = await RawClient.login(h.port, { clientId: 'x', will: { topic: 'wills/x', payload: 'lost', qos: 1 } });
    lost.end();
    await until(() => got.length === 1, 'the will');
    const login = { clientId: 'y', will: { topic: 'wills/y', payload: 'taken over', qos: 1 as const } };
    await RawClient.login(h.port, login);
    const second = await RawClient.login(h.port, login);
    await until(() => got.length === 2, 'the second will');
    expect(got.map(({ text }) => text)).toEqual(['lost', 'taken over']);
    second.end();
  });

  it('keeps order between device messages, which are held, and ordinary ones, which are not [MQTT-4.6.0-2]', async () => {
    h.intake.holding = true;
    const client = await RawClient.login(h.port, {});
    client.send(publish('smartfire/v1/d1/telemetry', 1, 1), publish('elsewhere', 1, 2), publish('elsewhere', 1, 3));
    await client.ping();
    expect(client.ids('puback')).toEqual([]);
    h.intake.commit();
    await until(() => client.of('puback').length === 3, 'three PUBACKs');
    expect(client.ids('puback')).toEqual([1, 2, 3]);
    client.end();
  });

  it('refuses $share and $SYS all the same', async () => {
    const client = await RawClient.login(h.port, {});
    expect(await client.subscribe('$share/g/#', '$SYS/#', '#')).toEqual([128, 128, 1]);
    client.end();
  });

  it('gives names like those of built-in properties no meaning', async () => {
    const client = await RawClient.login(h.port, { clientId: '__proto__', clean: false });
    expect(await client.subscribe('constructor', '__proto__')).toEqual([1, 1]);
    client.send(publish('__proto__', 1, 5));
    await until(() => client.of('publish').length === 1, 'the message');
    client.end();
  });
});

describe('MQTT over WebSocket', () => {
  it('is the same broker: log-in, hold, rights, and binary frames only', async () => {
    h = await startBroker();
    const http = createServer();
    const server = new WebSocketServer({ server: http, path: '/mqtt', handleProtocols: () => 'mqtt' });
    server.on('connection', (ws, request) => h.broker.acceptWebSocket(ws, request));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/mqtt`;
    const client = await connect({ url, username: 'd1', password: 'secret-of-d1', protocolVersion: 4 });
    await client.publishAsync('smartfire/v1/d1/event', '{"event":"fire"}', { qos: 1 });
    expect(h.intake.messages).toMatchObject([{ device: 'd1', channel: 'event', qos: 1 }]);
    await expect(connect({ url, username: 'd1', password: 'no', protocolVersion: 4 })).rejects.toMatchObject({
      code: 4,
    });
    const text = new WebSocket(url, 'mqtt');
    let code = 0;
    text.on('open', () => text.send('text'));
    text.on('error', () => {});
    text.on('close', (why) => {
      code = why;
    });
    await until(() => code !== 0, 'the text frame refused');
    server.close();
    for (const ws of server.clients) ws.terminate();
    await client.endAsync(true);
    await new Promise((resolve) => http.close(resolve));
  });
});
