import { EventEmitter } from 'node:events';
import { createLog, MetricsRegistry } from '@smart-fire/core/node';
import { FakeClock } from '@smart-fire/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { Caller } from '../server/access/caller.ts';
import { Consoles } from './consoles.ts';
import { Hub } from './hub.ts';

/** A socket whose other side reads only when told to. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  /** Whether the other side takes what is sent. */
  reads = true;
  closed: number | null = null;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent
  readonly sent: any[] = [];

  send(text: Buffer | string): void {
    this.sent.push(JSON.parse(String(text)));
    if (!this.reads) this.bufferedAmount += Buffer.byteLength(text);
  }

  ping(): void {
    if (this.reads) this.emit('pong');
  }

  close(code: number): void {
    this.closed = code;
    this.readyState = 2;
  }

  terminate(): void {
    this.readyState = 3;
    this.emit('close');
  }

  types(): string[] {
    return this.sent.map(({ type }) => type);
  }
}

let clock: FakeClock;
let hub: Hub;
let consoles: Consoles;
let holds: boolean;

beforeEach(() => {
  clock = new FakeClock();
  hub = new Hub(clock.now());
  holds = true;
  consoles = new Consoles({ hub, clock, log: createLog('silent'), metrics: new MetricsRegistry(), holds: () => holds });
  consoles.start();
});

function open(): FakeSocket {
  const socket = new FakeSocket();
  const person = {
    id: 'p',
    username: 'p',
    name: 'p',
    role: 'operator',
    scope: '/',
    disabled: false,
    validUntil: null,
  } as const;
  consoles.add(socket as unknown as WebSocket, {
    person,
    via: 'session',
    credential: 'c',
    expiresAt: null,
  } satisfies Caller);
  socket.emit('message', Buffer.from('{"type":"hello","watch":[]}'), false);
  clock.advance(100);
  return socket;
}

let version = 0;
function put(id: string, text = 'x', gone = false): void {
  const value = JSON.stringify({ id, text, version: ++version });
  hub.put('alarms', { entity: 'alarm', id, version, path: '/', gone, text: () => value });
  consoles.changed();
}

describe('a console that reads', () => {
  it('gets the first change at once, and what follows in one frame a window later', () => {
    const socket = open();
    expect(socket.types()).toEqual(['snapshot']);
    put('a');
    expect(socket.sent.at(-1).changes).toHaveLength(1);
    for (const id of ['b', 'c', 'b']) put(id);
    expect(socket.sent).toHaveLength(2);
    clock.advance(40);
    expect(socket.sent).toHaveLength(3);
    expect(socket.sent.at(-1).changes.map(({ id }: { id: string }) => id)).toEqual(['c', 'b']);
    clock.advance(1000);
    put('d');
    expect(socket.sent).toHaveLength(4);
  });

  it('is told every 5 s what it should have', () => {
    const socket = open();
    put('a');
    clock.advance(5000);
    expect(socket.sent.at(-1)).toMatchObject({ type: 'ping', seq: socket.sent.at(-2).seq });
    clock.advance(60_000);
    expect(socket.closed).toBe(null);
  });

  it('is let go when its log-in no longer holds', () => {
    const socket = open();
    holds = false;
    clock.advance(5000);
    expect(socket.closed).toBe(4401);
  });
});

describe('a console that does not read', () => {
  const big = 'x'.repeat(400_000);

  it('gets nothing more into its buffer, and the latest of everything when it reads again', () => {
    const socket = open();
    socket.reads = false;
    for (let round = 0; round < 200; round++) {
      put('same', big);
      clock.advance(40);
    }
    expect(socket.bufferedAmount).toBeLessThan(2_000_000);
    put('closed', 'x', true);
    const before = socket.sent.length;
    socket.reads = true;
    socket.bufferedAmount = 0;
    clock.advance(40);
    expect(socket.sent).toHaveLength(before + 1);
    expect(socket.sent.at(-1)).toMatchObject({ type: 'patch', from: socket.sent.at(-2).seq });
    const ids = socket.sent.at(-1).changes.map(({ id }: { id: string }) => id);
    expect(ids.sort()).toEqual(['closed', 'same']);
    expect(socket.sent.at(-1).changes.find(({ id }: { id: string }) => id === 'same').version).toBe(version - 1);
  });

  it('is told to begin again when it missed more than is remembered', () => {
    const socket = open();
    put('open');
    put('gone');
    clock.advance(40);
    socket.bufferedAmount = 10_000_000;
    put('gone', 'x', true);
    for (let id = 0; id < 6000; id++) {
      put(`short${id}`);
      put(`short${id}`, 'x', true);
    }
    clock.advance(1000);
    const before = socket.sent.length;
    socket.bufferedAmount = 0;
    clock.advance(100);
    expect(socket.types().slice(before)).toEqual(['resync', 'snapshot']);
    expect(socket.sent.at(-1).alarms.map(({ id }: { id: string }) => id)).toEqual(['open']);
  });

  it('is let go after 30 s, and holds nobody else up', () => {
    const slow = open();
    const quick = open();
    slow.reads = false;
    slow.bufferedAmount = 10_000_000;
    put('a');
    expect(quick.sent.at(-1).changes).toHaveLength(1);
    clock.advance(40_000);
    expect([slow.closed, slow.readyState]).toEqual([4408, 3]);
    expect(consoles.size).toBe(1);
  });

  it('or never says hello is let go, too', () => {
    const socket = new FakeSocket();
    consoles.add(socket as unknown as WebSocket, {} as Caller);
    clock.advance(40_000);
    expect(socket.closed).toBe(4408);
  });
});

it('hands over no more than 1 MiB and a frame in one turn, and serves everybody in the end', () => {
  const sockets = Array.from({ length: 200 }, open);
  for (let id = 0; id < 10_000; id++) put(`a${id}`, 'x'.repeat(600));
  const received = () => sockets.reduce((sum, { sent }) => sum + sent.length, 0);
  const marks: number[] = [];
  const setTimeout = clock.setTimeout.bind(clock);
  clock.setTimeout = (callback, ms) =>
    setTimeout(() => {
      marks.push(received());
      callback();
    }, ms);
  clock.advance(10_000);
  for (const { sent } of sockets)
    expect(sent.reduce((sum, { changes }) => sum + (changes?.length ?? 0), 0)).toBe(10_000);
  const perTurn = marks.slice(1).map((mark, index) => mark - marks[index]!);
  // A frame of 500 such alarms has 330 kB.
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(4);
});
