import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { FakeClock } from '@smart-fire/core/testing';
import { expect, it } from 'vitest';
import { Arrivals } from './arrivals.ts';
import { Connection, type Screen } from './connection.ts';
import { Departures } from './departures.ts';
import { transportOf } from './transport.ts';

/** Lets everything through to Aedes. */
const open: Screen = {
  packet: () => 'pass',
  oversize() {},
  malformed() {},
  limit: () => 1_000_000,
  closed() {},
};

/** A PUBLISH of `length` bytes (128 KiB at most). */
function packet(length: number): Buffer {
  const body = length - 4;
  return Buffer.concat([
    Buffer.from([0x30, 0x80 | (body & 0x7f), 0x80 | ((body >> 7) & 0x7f), body >> 14]),
    Buffer.alloc(body),
  ]);
}

it.each([40_000, 65_536, 100_000])(
  'ends for Aedes, too, when %i bytes and the end came in one turn',
  async (length) => {
    // Half open, as a socket is.
    const stream = new PassThrough({ autoDestroy: false });
    const deps = { pulse: { now: 0 }, clock: new FakeClock(), arrivals: new Arrivals(), departures: new Departures() };
    const connection = new Connection(
      transportOf(stream),
      { remote: '', certificateName: null },
      { screen: open, ...deps },
    );
    connection.state = 'ready';
    stream.end(packet(length));
    await once(stream, 'end');
    let read = 0;
    connection.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    await once(connection, 'end');
    expect(read).toBe(length);
  },
);

it.each(['error', 'close'])('takes what came before its socket was lost in the same turn (%s)', async (event) => {
  const stream = new PassThrough({ autoDestroy: false });
  const deps = { pulse: { now: 0 }, clock: new FakeClock(), arrivals: new Arrivals(), departures: new Departures() };
  const taken: number[] = [];
  const screen: Screen = {
    ...open,
    packet: (_connection, _bytes, start, _bodyAt, end) => {
      taken.push(end - start);
      return 'taken';
    },
  };
  const connection = new Connection(transportOf(stream), { remote: '', certificateName: null }, { screen, ...deps });
  stream.once('data', () => stream.emit(event, new Error('reset')));
  stream.write(packet(40_000));
  await once(connection, 'close');
  expect(taken).toEqual([40_000]);
});
