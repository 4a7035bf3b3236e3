import fc from 'fast-check';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { Framer } from './framing.ts';
import { checkConnect, packetFault, topicFault } from './packet-check.ts';
import { TopicTree } from './persistence/topic-tree.ts';
import { filterMatches } from './rights.ts';

function collect(limit = 1_000_000) {
  const packets: Buffer[] = [];
  const problems: string[] = [];
  const sink = {
    refuseNext: 0,
    packet(bytes: Buffer, start: number, _bodyAt: number, end: number) {
      if (sink.refuseNext-- > 0) return false;
      packets.push(Buffer.from(bytes.subarray(start, end)));
      return true;
    },
    oversize: (type: number, length: number) => void problems.push(`oversize ${type} ${length}`),
    malformed: (what: string) => void problems.push(what),
  };
  return { packets, problems, sink, framer: new Framer(sink, () => limit) };
}

const topicText = fc.stringMatching(/^[a-z0-9]{1,8}(\/[a-z0-9]{0,8}){0,4}$/);
const anyPacket: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({
    cmd: fc.constant('publish' as const),
    topic: topicText,
    payload: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    qos: fc.constant(1 as const),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    dup: fc.boolean(),
    retain: fc.boolean(),
  }),
  fc.record({
    cmd: fc.constant('subscribe' as const),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    subscriptions: fc.array(fc.record({ topic: topicText, qos: fc.constantFrom(0 as const, 1 as const, 2 as const) }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  fc.constant({ cmd: 'pingreq' as const }),
  fc.record({ cmd: fc.constant('puback' as const), messageId: fc.integer({ min: 1, max: 65_535 }) }),
);

describe('the framer', () => {
  it('gives back the packets whatever the chunks they come in and whenever it is told to wait', () => {
    fc.assert(
      fc.property(
        fc.array(anyPacket, { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1 }),
        (sent, sizes, refusals) => {
          const { packets, problems, sink, framer } = collect();
          const wire = sent.map((packet) => mqttPacket.generate(packet));
          const bytes = Buffer.concat(wire);
          const shared = Buffer.alloc(310);
          for (let at = 0, n = 0; at < bytes.length; n++) {
            const size = sizes[n % sizes.length]!;
            sink.refuseNext = refusals[n % refusals.length]!;
            // In a buffer that is used again.
            const [from, to] = [n % 7, (n % 7) + bytes.copy(shared, n % 7, at, at + size)];
            framer.feed(shared, from, to);
            shared.fill(0xff);
            at += size;
          }
          sink.refuseNext = 0;
          framer.resume();
          expect(problems).toEqual([]);
          expect(packets).toEqual(wire);
          for (const packet of packets) {
            const bodyAt = packet[1]! < 128 ? 2 : 3;
            expect(packetFault(packet, 0, bodyAt, packet.length)).toBeNull();
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('survives garbage, and says nothing more after it has found any', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
        const { problems, framer } = collect(1000);
        for (const chunk of chunks) framer.feed(Buffer.from(chunk), 0, chunk.length);
        expect(problems.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws on the inside of a packet, whatever it holds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 14 }), fc.uint8Array({ maxLength: 100 }), (type, body) => {
        const bytes = Buffer.concat([Buffer.from([type << 4, body.length]), body]);
        packetFault(bytes, 0, 2, bytes.length);
        checkConnect(bytes, 0, 2, bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  it('judges a topic as a plain reading of the standard does', () => {
    const level = fc.constantFrom('', 'a', 'b', '+', '#', 'a+', '#b', '温度', '\0', '$SYS');
    fc.assert(
      fc.property(fc.array(level, { minLength: 1, maxLength: 14 }), fc.boolean(), (levels, filter) => {
        const text = levels.join('/');
        const bytes = Buffer.from(text);
        const wildcardsWell = levels.every(
          (each, at) => !/[+#]/.test(each) || (each.length === 1 && (each === '+' || at === levels.length - 1)),
        );
        const good =
          text !== '' && levels.length <= 12 && !text.includes('\0') && (filter ? wildcardsWell : !/[+#]/.test(text));
        expect(topicFault(bytes, 0, bytes.length, filter) === null).toBe(good);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the topic tree', () => {
  const name = fc.constantFrom('', 'a', 'b', '$SYS');
  const topic = fc.array(name, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
  const filter = fc
    .tuple(fc.array(fc.oneof(name, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'));

  it('finds the same filters and topics as matching one by one', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filter), fc.uniqueArray(topic), fc.array(fc.nat(20)), (filters, topics, removed) => {
        const byFilter = new TopicTree<string>();
        const byTopic = new TopicTree<string>();
        for (const each of filters) byFilter.set(each, each);
        for (const each of topics) byTopic.set(each, each);
        for (const at of removed) {
          if (filters[at] !== undefined) byFilter.delete(filters[at]);
          if (topics[at] !== undefined) byTopic.delete(topics[at]);
        }
        const left = <T>(all: T[]) => all.filter((_, at) => !removed.includes(at));
        for (const each of topics)
          expect(byFilter.matchFilters(each).sort()).toEqual(
            left(filters)
              .filter((f) => filterMatches(f, each))
              .sort(),
          );
        for (const each of filters)
          expect(byTopic.matchTopics(each).sort()).toEqual(
            left(topics)
              .filter((t) => filterMatches(each, t))
              .sort(),
          );
      }),
      { numRuns: 300 },
    );
  });
});
