import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, type HarnessOptions, startBroker } from './testing/harness.ts';
import { publish, RawClient, until } from './testing/raw-client.ts';

const TELEMETRY = 'smartfire/v1/d1/telemetry';
const EVENT = 'smartfire/v1/d1/event';
/** Events read in one turn of the loop, at most; Aedes may get to those of two at once. */
const TURN = 250;
let h: Harness;
const start = async (options: HarnessOptions = {}) => {
  h = await startBroker(options);
};
afterEach(() => h.stop());

/** A PUBLISH header that announces `length` bytes, followed by a topic. */
function announced(length: number, topic: string): Buffer {
  const header = [0x32];
  for (let left = length; ; left = Math.floor(left / 128)) {
    header.push((left % 128) | (left >= 128 ? 0x80 : 0));
    if (left < 128) break;
  }
  const text = Buffer.from(topic);
  return Buffer.concat([Buffer.from(header), Buffer.from([text.length >> 8, text.length & 255]), text]);
}

describe('the guard', () => {
  it('refuses a giant packet by its header, before a byte of it is kept, and names its topic', async () => {
    await start();
    const device = await h.login('d1');
    device.write(announced(268_435_455, TELEMETRY));
    await until(() => device.closed, 'the connection closed');
    expect(h.intake.refused).toEqual([{ device: 'd1', topic: TELEMETRY, reason: 'oversize' }]);
    expect(await h.refusals('oversize')).toBe(1);
  });

  it('takes a packet of exactly the allowed size in small pieces, and refuses one byte more', async () => {
    await start({ config: { MQTT_MAX_PACKET: 5000 } });
    const device = await h.login('d1');
    const whole = (body: number) => {
      const head = announced(body, EVENT);
      return Buffer.concat([head, Buffer.from([0, 1]), Buffer.alloc(body + 3 - head.length - 2, 'x')]);
    };
    const bytes = whole(5000);
    for (let at = 0; at < bytes.length; at += 700) {
      device.write(bytes.subarray(at, at + 700));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => device.of('puback').length === 1, 'PUBACK');
    expect(h.intake.messages[0]!.payload).toHaveLength(5000 - 2 - EVENT.length - 2);
    device.write(whole(5001));
    await until(() => device.closed, 'the connection closed');
    expect(h.intake.messages).toHaveLength(1);
  });

  it('keeps at most 16 KiB for somebody who has not logged in', async () => {
    await start();
    const stranger = await RawClient.open(h.port);
    stranger.write(Buffer.from([0x10, 0x81, 0x80, 0x01])); // CONNECT of 16,385 bytes
    await until(() => stranger.closed, 'the connection closed');
    expect(await h.refusals('oversize')).toBe(1);
  });

  it('closes connections that never send a whole CONNECT', async () => {
    await start();
    const silent = await RawClient.open(h.port);
    const half = await RawClient.open(h.port);
    half.write(RawClient.connectPacket({ user: 'd1' }).subarray(0, 9));
    await until(() => h.broker.health()[0]!.figures.connections === 2, 'both there');
    await h.clock.advanceInSteps(9_500);
    expect([silent.closed, half.closed]).toEqual([false, false]);
    await h.clock.advanceInSteps(1_000);
    await until(() => silent.closed && half.closed, 'both closed');
    expect(await h.refusals('no-connect')).toBe(2);
  });

  it('takes no more connections than configured', async () => {
    await start({ config: { MQTT_MAX_CONNECTIONS: 2 } });
    const clients = [await h.login('d1'), await h.login('d2')];
    const third = await RawClient.open(h.port);
    await until(() => third.closed, 'the third closed');
    expect(clients.map((client) => client.closed)).toEqual([false, false]);
  });

  it.each([
    ['bytes that are no MQTT', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a first packet that is no CONNECT', Buffer.from([0xc0, 0])],
    ['a remaining length of five bytes', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 1])],
    ['a client id with U+0000', connectWith(Buffer.from('a\0b'))],
    ['an ill-formed client id', connectWith(Buffer.from([0xed, 0xa0, 0x80]))],
  ])('closes on %s', async (_what, bytes) => {
    await start();
    const stranger = await RawClient.open(h.port);
    stranger.write(bytes);
    await until(() => stranger.closed, 'the connection closed');
    expect(stranger.received).toEqual([]);
    expect(await h.refusals('malformed')).toBe(1);
  });

  it.each([
    ['a topic with U+0000', packet(0x30, field('smartfire/v1/d1/\0'))],
    ['an ill-formed topic', packet(0x30, Buffer.from([0, 3, 0xed, 0xa0, 0x80]))],
    ['an overlong encoding', packet(0x30, Buffer.from([0, 2, 0xc0, 0xaf]))],
    ['a topic longer than its packet', packet(0x30, Buffer.from([0, 9, 0x61]))],
    ['an empty topic', packet(0x30, field(''))],
    ['a wildcard in a topic', packet(0x30, field('smartfire/+/d1/telemetry'))],
    ['a topic of 13 levels', packet(0x30, field('a/'.repeat(12)))],
    ['packet identifier 0', packet(0x32, Buffer.concat([field(TELEMETRY), Buffer.from([0, 0])]))],
    ['a misplaced #', packet(0x82, Buffer.concat([Buffer.from([0, 1]), field('a#'), Buffer.from([0])]))],
    ['a misplaced +', packet(0x82, Buffer.concat([Buffer.from([0, 1]), field('+a'), Buffer.from([0])]))],
    ['a SUBSCRIBE without filters', packet(0x82, Buffer.from([0, 1]))],
    [
      'a filter of 13 levels',
      packet(0x82, Buffer.concat([Buffer.from([0, 1]), field('+/'.repeat(12)), Buffer.from([0])])),
    ],
    ['a second CONNECT', RawClient.connectPacket({ user: 'd1', password: 'secret-of-d1' })],
    ['a packet that only servers send', packet(0x20, Buffer.from([0, 0]))],
  ])('closes a device that sends %s', async (_what, bytes) => {
    await start();
    const device = await h.login('d1');
    device.write(bytes);
    await until(() => device.closed, 'the connection closed');
    expect(h.intake.messages).toEqual([]);
    expect(await h.refusals('malformed')).toBe(1);
  });

  it('says code 1 to MQTT 5', async () => {
    await start();
    const client = await RawClient.open(h.port);
    const bytes = RawClient.connectPacket({ user: 'd1' });
    bytes[8] = 5;
    client.write(bytes);
    await until(() => client.closed, 'the connection closed');
    expect(client.of('connack')).toMatchObject([{ returnCode: 1 }]);
  });

  it('takes what a client sends before its CONNACK, more than Aedes would queue', async () => {
    await start();
    const device = await RawClient.open(h.port);
    device.write(RawClient.connectPacket({ user: 'd1', password: 'secret-of-d1' }));
    device.send(...Array.from({ length: 100 }, (_, n) => publish(EVENT, 1, n + 1)));
    await until(() => device.of('puback').length === 100, 'all PUBACKs');
    expect(device.ids('puback')).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    device.end();
  });
});

describe('the rate', () => {
  const burst = (n: number, topic = TELEMETRY) => Array.from({ length: n }, (_, i) => publish(topic, 1, i + 1));

  it('pauses a device that is over it and takes the rest as time passes', async () => {
    await start({ config: { MQTT_DEVICE_RATE: 5 } });
    const device = await h.login('d1');
    device.send(...burst(30));
    await until(() => device.of('puback').length === 20, 'the burst of four seconds');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(h.intake.messages).toHaveLength(20);
    await h.clock.advanceInSteps(1000);
    await until(() => h.intake.messages.length === 25, 'one second more');
    await h.clock.advanceInSteps(1000);
    await until(() => device.of('puback').length === 30, 'all');
    expect(device.closed).toBe(false);
    device.end();
  });

  it('exempts events, and a gateway has a share for each child', async () => {
    await start({ config: { MQTT_DEVICE_RATE: 5 } });
    const device = await h.login('d1');
    device.send(...burst(100, EVENT));
    await until(() => device.of('puback').length === 100, 'all events');
    const gateway = await h.login('gw');
    gateway.send(...burst(80, 'smartfire/v1/child1/telemetry'));
    await until(() => gateway.of('puback').length === 60, 'three shares');
    for (const client of [device, gateway]) client.end();
  });

  it('closes a device that stays over it for a minute, and reconnecting gains nothing', async () => {
    await start({ config: { MQTT_DEVICE_RATE: 5 } });
    const device = await h.login('d1', { keepalive: 10 });
    device.send(...burst(600));
    await until(() => h.intake.messages.length >= 20, 'the burst');
    await h.clock.advanceInSteps(59_000);
    expect(device.closed).toBe(false);
    await h.clock.advanceInSteps(2_500);
    await until(() => device.closed, 'the connection closed');
    expect(await h.refusals('rate')).toBe(1);
    expect(h.intake.presences.at(-1)).toEqual({ device: 'd1', online: false, reason: 'over-rate' });
    const taken = h.intake.messages.length;
    const again = await h.login('d1');
    again.send(...burst(30));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(h.intake.messages.length - taken).toBeLessThan(15);
    again.end();
  });
});

describe('a flood', () => {
  it('is read in shares of a turn of the loop, in order, and all of it', async () => {
    await start({ config: { MQTT_DEVICE_RATE: 1 } });
    const device = await h.login('d1');
    const perTurn: number[] = [];
    let seen = 0;
    let over = false;
    const watch = () => {
      perTurn.push(h.intake.messages.length - seen);
      seen = h.intake.messages.length;
      if (!over) setImmediate(watch);
    };
    watch();
    const ids = Array.from({ length: 3000 }, (_, index) => index + 1);
    device.send(...ids.map((id) => publish(EVENT, 1, id, '{"event":"fire"}')));
    await until(() => device.of('puback').length === ids.length, 'all PUBACKs');
    over = true;
    expect(device.of('puback').map(({ messageId }) => messageId)).toEqual(ids);
    expect(h.intake.messages.map(({ packetId }) => packetId)).toEqual(ids);
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(2 * TURN);
  });
});

describe('a frozen subscriber', () => {
  it('is cut within seconds and keeps nobody waiting', async () => {
    await start({ config: { MQTT_DEVICE_RATE: 100_000 } });
    const frozen = await h.login('d1', { clientId: 'frozen' });
    const reader = await h.login('d1', { clientId: 'reader' });
    for (const client of [frozen, reader]) await client.subscribe('smartfire/v1/d1/event');
    frozen.socket.pause();
    const device = await h.login('d1', { clientId: 'device' });
    const payload = Buffer.alloc(60_000, 'x');
    let sent = 0;
    // Nobody waits for it longer than its patience says.
    const time = setInterval(() => h.clock.advance(10), 10);
    // Far more than the kernel buffers for the frozen one.
    while (sent < 200 && !frozen.closed) {
      for (let n = 0; n < 10; n++) device.send(publish(EVENT, 1, ++sent, payload));
      await until(() => device.of('puback').length === sent, 'PUBACKs while one reader is frozen');
      await h.clock.advanceInSteps(500);
    }
    clearInterval(time);
    await until(() => reader.of('publish').length === sent, 'everything at the healthy reader');
    await h.clock.advanceInSteps(6000);
    frozen.socket.resume();
    await until(() => frozen.closed, 'the frozen one cut');
    expect(await h.refusals('slow-reader')).toBe(1);
    for (const client of [device, reader]) client.end();
  });
});

function field(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function packet(first: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first, body.length]), body]);
}

function connectWith(clientId: Buffer): Buffer {
  const id = Buffer.concat([Buffer.from([0, clientId.length]), clientId]);
  return packet(0x10, Buffer.concat([field('MQTT'), Buffer.from([4, 2, 0, 60]), id]));
}
