import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from './change-log.ts';
import { FRAME_CHANGES, Hub, type Reader, type Stream, type View } from './hub.ts';

const NOW = Date.UTC(2026, 0, 1);
const everything: View = { scope: '/', alarms: true, devices: true, values: true, health: true, watch: null };

interface Thing {
  entity: Entry['entity'];
  id: string;
  path: string | null;
  value: unknown;
}

/** The server's side: the hub and, beside it, what it should show. */
class Server {
  readonly hub = new Hub(NOW);
  readonly things = new Map<string, Thing>();
  #version = 0;

  put(stream: Stream, id: string, path: string | null, gone = false): void {
    const entity = stream === 'devices' ? 'device' : stream === 'health' ? 'health' : 'alarm';
    const version = ++this.#version;
    const value = (full: boolean) =>
      gone ? null : { id, device: id, part: id, version, values: full ? [version] : [] };
    this.hub.put(stream, { entity, id, version, path, gone, text: (full) => JSON.stringify(value(full)) });
    this.things.delete(id);
    if (!gone) this.things.set(id, { entity, id, path, value });
  }

  /** What somebody with this view should see. */
  seenBy(view: View): Record<string, unknown> {
    const seen: Record<string, unknown> = {};
    for (const { entity, id, path, value } of this.things.values()) {
      if (path !== null && !path.startsWith(view.scope)) continue;
      if (!view[entity === 'health' ? 'health' : entity === 'device' ? 'devices' : 'alarms']) continue;
      if (entity === 'device' && view.watch && !view.watch.includes(id)) continue;
      seen[`${entity}:${id}`] = (value as (full: boolean) => unknown)(view.values);
    }
    return seen;
  }
}

/** A console that does what the protocol says, and notices every break of it. */
class Client {
  seen: Record<string, unknown> = {};
  seq = 0;
  resyncs = 0;
  frames = 0;
  reader: Reader;
  readonly view: View;
  readonly #server: Server;

  constructor(server: Server, view: View) {
    this.#server = server;
    this.view = view;
    this.reader = server.hub.join(view);
  }

  /** The connection is lost with whatever was under way; it comes back with what it has. */
  reconnect(): void {
    this.reader = this.#server.hub.join(this.view, this.seq || undefined);
  }

  read(frames = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < frames && this.reader.behind; count++) {
      const frame = this.reader.next(NOW);
      if (frame) this.apply(String(frame.text));
    }
  }

  apply(text: string): void {
    this.frames++;
    const message = JSON.parse(text);
    if (message.type === 'resync') {
      this.resyncs++;
      return;
    }
    if (message.type === 'snapshot') {
      this.seen = {};
      for (const alarm of message.alarms) this.seen[`alarm:${alarm.id}`] = alarm;
      for (const device of message.devices) this.seen[`device:${device.id}`] = device;
      for (const item of message.health) this.seen[`health:${item.id}`] = item;
    } else {
      expect(message.from).toBe(this.seq);
      for (const { entity, id, value } of message.changes) {
        if (value === null) delete this.seen[`${entity}:${id}`];
        else this.seen[`${entity}:${id}`] = value;
      }
    }
    expect(message.seq).toBeGreaterThan(message.type === 'patch' ? this.seq : 0);
    this.seq = message.seq;
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      stream: fc.constantFrom<Stream>('fire', 'health', 'alarms', 'devices'),
      id: fc.integer({ min: 0, max: 9 }),
      gone: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flood' as const), count: fc.integer({ min: 1, max: 1300 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end flood' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), id: fc.integer({ min: 0, max: 9 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      who: fc.integer({ min: 0, max: 4 }),
      frames: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), who: fc.integer({ min: 0, max: 4 }) }) },
);

const views: View[] = [
  everything,
  everything,
  { ...everything, scope: '/a/' },
  { ...everything, scope: '/b/', values: false, health: false },
  { ...everything, devices: false, watch: [] },
  { ...everything, scope: '/a/', watch: ['devices3', 'devices4', 'devices5'] },
];

describe('the live hub', () => {
  it('leaves every console with exactly what the server shows its person, whatever is lost on the way', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const server = new Server();
        const moved = new Set<number>();
        const clients = views.map((view) => new Client(server, view));
        const pathOf = (id: number) => ((id % 2 === 0) !== moved.has(id) ? '/a/' : '/b/');
        for (const one of steps) {
          if (one.do === 'put')
            server.put(one.stream, `${one.stream}${one.id}`, one.stream === 'health' ? null : pathOf(one.id), one.gone);
          else if (one.do === 'flood')
            for (let id = 0; id < one.count; id++) server.put('alarms', `flood${id}`, id % 3 === 0 ? '/b/' : '/a/');
          else if (one.do === 'end flood') {
            for (const { id, path } of [...server.things.values()])
              if (id.startsWith('flood')) server.put('alarms', id, path, true);
          } else if (one.do === 'move') {
            moved.has(one.id) ? moved.delete(one.id) : moved.add(one.id);
            if (server.things.has(`devices${one.id}`)) server.put('devices', `devices${one.id}`, pathOf(one.id));
          } else if (one.do === 'read') clients[one.who]!.read(one.frames);
          else clients[one.who]!.reconnect();
        }
        for (const client of clients) {
          client.read();
          expect(client.seen).toEqual(server.seenBy(client.view));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never gives a person a byte about what lies outside his scope or rights', () => {
    const server = new Server();
    const reader = server.hub.join({ ...everything, scope: '/a/', health: false, values: false });
    const texts: string[] = [];
    const read = () => {
      for (let frame = reader.next(NOW); frame; frame = reader.next(NOW)) texts.push(String(frame.text));
    };
    server.put('alarms', 'theirs', '/b/');
    server.put('health', 'journal', null);
    read();
    server.put('fire', 'theirs', '/ab/');
    server.put('devices', 'theirs', '/b/');
    server.put('devices', 'theirs', '/b/', true);
    server.put('devices', 'mine', '/a/');
    read();
    expect(texts.join()).not.toMatch(/theirs|journal/);
    expect(texts.join()).toContain('"values":[]');
  });

  it('sends fires first, however many other alarms came before them', () => {
    const server = new Server();
    const client = new Client(server, everything);
    client.read();
    for (let id = 0; id < 5000; id++) server.put('alarms', `fault${id}`, '/a/');
    server.put('fire', 'fire', '/a/');
    client.read(1);
    expect(client.seen).toHaveProperty('alarm:fire');
    expect(Object.keys(client.seen)).toHaveLength(FRAME_CHANGES);
  });

  it('sends one change once, the latest, to a console that was away', () => {
    const server = new Server();
    const client = new Client(server, everything);
    client.read();
    client.frames = 0;
    for (let times = 0; times < 1000; times++) server.put('alarms', 'same', '/a/');
    client.read();
    expect(client.frames).toBe(1);
  });

  it('makes a frame once for all consoles that see the same', () => {
    const server = new Server();
    const readers = Array.from({ length: 200 }, () => server.hub.join(everything));
    const texts = () => new Set(readers.map((reader) => reader.next(NOW)?.text));
    expect(texts().size).toBe(1);
    for (let id = 0; id < FRAME_CHANGES; id++) server.put('alarms', `a${id}`, '/a/');
    expect(texts().size).toBe(1);
  });

  it('goes on from a number it gave, and from no other', () => {
    const server = new Server();
    for (let id = 0; id < 700; id++) server.put('alarms', `a${id}`, '/a/');
    const client = new Client(server, everything);
    client.read(1);
    const midway = client.seq;
    client.read();
    server.put('alarms', 'new', '/a/');
    const first = (since: number) => JSON.parse(String(server.hub.join(everything, since).next(NOW)?.text));
    expect(first(client.seq)).toMatchObject({ type: 'patch', from: client.seq, changes: [{ id: 'new' }] });
    expect(first(midway).type).toBe('snapshot');
    expect(first(client.seq + 1000).type).toBe('snapshot');
    expect(first(3).type).toBe('snapshot');
    expect(JSON.parse(String(new Hub(NOW + 1000).join(everything, client.seq).next(NOW)?.text)).type).toBe('snapshot');
  });

  it('tells a console that missed more than is remembered to begin again, and gives it a snapshot', () => {
    const server = new Server();
    const client = new Client(server, everything);
    server.put('alarms', 'open', '/a/');
    server.put('alarms', 'old', '/a/');
    client.read();
    server.put('alarms', 'old', '/a/', true);
    for (let id = 0; id < 6000; id++) {
      server.put('alarms', `short${id}`, '/a/');
      server.put('alarms', `short${id}`, '/a/', true);
    }
    client.read();
    expect(client.resyncs).toBe(1);
    expect(client.seen).toEqual(server.seenBy(everything));
  });

  it('lets a console watch other devices without a new snapshot, even with frames under way', () => {
    const server = new Server();
    for (const id of ['d1', 'd2']) server.put('devices', id, '/a/');
    const client = new Client(server, { ...everything, watch: ['d1'] });
    client.read();
    server.put('alarms', 'a', '/a/');
    client.reader = client.reader.turnTo({ ...everything, watch: ['d2'] });
    client.read();
    expect(Object.keys(client.seen).sort()).toEqual(['alarm:a', 'device:d1', 'device:d2']);
    expect(client.resyncs).toBe(0);
  });
});
