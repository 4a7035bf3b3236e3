import { getSensorKind } from '@smart-fire/core/sensors';
import { type FakeClock, MemoryReadings } from '@smart-fire/core/testing';
import { expect, it, vi } from 'vitest';
import { registryOf, startIngest, until } from './testing/harness.ts';

const KIND = 'heat-detector';
const SILENT_AFTER = 3 * getSensorKind(KIND)!.intervalMs;

/** Lets listened time pass in ticks, as the platform does; a fast clock for hours of it. */
async function listen({ clock }: { clock: FakeClock }, ms: number): Promise<void> {
  await clock.advanceInSteps(ms, 1000);
  await new Promise((resolve) => setImmediate(resolve));
}

it('knows nothing of a device that was never heard: unknown since it was created', async () => {
  const { status, clock } = await startIngest();
  expect(status.status('d1')).toEqual({
    device: 'd1',
    connected: false,
    claimsOnline: null,
    lastSeenAt: null,
    unknownSince: clock.now(),
    values: [],
  });
});

it('shows the last value of every point and metric with both times', async () => {
  const { status, telemetry, clock } = await startIngest();
  const now = clock.now();
  await telemetry({ ts: now - 5, values: { temperature: 20, battery: 90 } });
  await telemetry({ ts: now - 3, point: '1-1', values: { temperature: 30 } });
  expect(status.status('d1').values).toEqual([
    { point: '', metric: 'temperature', value: 20, time: now - 5, receivedAt: now, flags: 0 },
    { point: '', metric: 'battery', value: 90, time: now - 5, receivedAt: now, flags: 0 },
    { point: '1-1', metric: 'temperature', value: 30, time: now - 3, receivedAt: now, flags: 0 },
  ]);
});

it('shows nothing that is not committed', async () => {
  const { status, telemetry, journal } = await startIngest();
  await until(() => journal.batches.length === 1);
  journal.hold();
  const answer = telemetry({ values: { temperature: 20 } });
  expect(status.status('d1')).toMatchObject({ lastSeenAt: null, values: [] });
  journal.release();
  await answer;
  expect(status.status('d1').values).toHaveLength(1);
});

it('calls a device unknown since it was last seen when it misses three reports, tells so, and believes the next reading', async () => {
  const registry = registryOf({ d1: { kind: KIND } }, 0);
  const ingest = await startIngest({ registry });
  const { status, telemetry, clock } = ingest;
  const heardAt = clock.now();
  await telemetry({ values: { temperature: 20 } });
  const changes = vi.fn();
  status.onChange(changes);
  await listen(ingest, SILENT_AFTER);
  expect(status.status('d1').unknownSince).toBe(null);
  expect(changes).not.toHaveBeenCalled();
  await listen(ingest, 2000);
  expect(status.status('d1')).toMatchObject({ lastSeenAt: heardAt, unknownSince: heardAt });
  expect(changes).toHaveBeenCalledTimes(1);
  await ingest.event({ event: 'test' });
  expect(status.status('d1').unknownSince).toBe(null);
}, 20_000);

it('does not call devices unknown for what was not heard while telemetry was refused', async () => {
  const registry = registryOf({ d1: { kind: KIND } }, 0);
  const ingest = await startIngest({ registry });
  await ingest.telemetry({ values: { temperature: 20 } });
  ingest.journal.full = true;
  expect(await ingest.atTick(ingest.telemetry({ values: { temperature: 21 } }))).toMatchObject({
    code: 'FIRE_JOURNAL_FULL',
  });
  await listen(ingest, SILENT_AFTER + 10_000);
  expect(ingest.status.status('d1').unknownSince).toBe(null);
  ingest.journal.full = false;
  await listen(ingest, SILENT_AFTER + 5000);
  expect(ingest.status.status('d1').unknownSince).not.toBe(null);
}, 20_000);

it('does not call devices unknown for what was not heard while nothing could be committed, whatever others declared meanwhile', async () => {
  const registry = registryOf({ d1: { kind: KIND }, d2: { kind: KIND } }, 0);
  const ingest = await startIngest({ registry });
  await ingest.telemetry({ values: { temperature: 20 } });
  ingest.journal.failWith = new Error('EIO');
  await ingest.telemetry({ values: { temperature: 21 } });
  for (let passed = 0, seq = 0; passed < SILENT_AFTER + 10_000; passed += 2000) {
    void ingest.event({ seq: seq++, event: 'test' }, { device: 'd2' });
    await listen(ingest, 2000);
  }
  ingest.journal.failWith = null;
  await listen(ingest, 2000);
  await until(() => ingest.intake.accepting && ingest.entries('event').length > 5);
  expect(ingest.status.status('d1').unknownSince).toBe(null);
  await listen(ingest, SILENT_AFTER + 5000);
  expect(ingest.status.status('d1').unknownSince).not.toBe(null);
}, 20_000);

it('looks again in time at a device that is of another kind now', async () => {
  const registry = registryOf({ d1: { kind: 'smoke-alarm' }, d2: { kind: 'gateway' } }, 0);
  const ingest = await startIngest({ registry });
  for (const device of ['d1', 'd2']) await ingest.telemetry({ values: { battery: 90 } }, { device });
  const told: string[] = [];
  ingest.status.onChange((devices) => told.push(...devices));
  const kind = (id: string, kind: string) => registry.putDevice({ ...registry.devices.get(id)!, kind });
  kind('d1', 'gateway');
  kind('d2', 'gas-detector');
  await listen(ingest, 3 * getSensorKind('gateway')!.intervalMs + 3000);
  expect(told).toEqual(['d1']);
  await listen(ingest, 3 * getSensorKind('gas-detector')!.intervalMs);
  expect(told).toEqual(['d1', 'd2']);
}, 20_000);

it('takes no repeat and no dead letter for a sign of life', async () => {
  const { status, telemetry, clock } = await startIngest();
  const heardAt = clock.now();
  await telemetry({ seq: 1, values: { temperature: 20 } });
  clock.advance(500);
  await telemetry({ seq: 1, values: { temperature: 20 } }, { dup: true });
  await telemetry('garbage');
  expect(status.status('d1').lastSeenAt).toBe(heardAt);
});

it('counts a device behind a gateway as connected while its gateway is, and tells so', async () => {
  const registry = registryOf({ gw: { kind: 'gateway' }, child: { gateway: 'gw' } }, 0);
  const { status, intake, clock, stop } = await startIngest({ registry });
  const changed: string[][] = [];
  status.onChange((devices) => changed.push([...devices].sort()));
  intake.presence('gw', true, 'connected');
  expect(status.status('child').connected).toBe(true);
  clock.advance(250);
  intake.presence('gw', false, 'keepalive');
  expect(status.status('child').connected).toBe(false);
  clock.advance(250);
  expect(changed).toEqual([
    ['child', 'gw'],
    ['child', 'gw'],
  ]);
  await stop();
});

it('tells of changes at most four times a second, all devices together', async () => {
  const { status, telemetry, clock, stop } = await startIngest();
  const changed: string[][] = [];
  const end = status.onChange((devices) => changed.push([...devices]));
  for (let i = 0; i < 50; i++) {
    await telemetry({ seq: i, values: { temperature: i } });
    await telemetry({ seq: i, values: { temperature: i } }, { device: 'd2' });
    clock.advance(20);
  }
  clock.advance(250);
  expect(changed.length).toBeLessThanOrEqual(5);
  expect(changed[0]!.sort()).toEqual(['d1', 'd2']);
  end();
  await telemetry({ seq: 99, values: { temperature: 1 } });
  clock.advance(1000);
  expect(changed.length).toBeLessThanOrEqual(5);
  await stop();
});

it('forgets connections at a restart: the broker has none yet', async () => {
  const first = await startIngest();
  first.intake.presence('d1', true, 'connected');
  await first.telemetry({ values: { co: 1 } });
  await first.stop();
  const { clock, journal, readings, registry } = first;
  const second = await startIngest({ clock, journal, readings, registry });
  expect(second.status.status('d1')).toMatchObject({ connected: false, lastSeenAt: clock.now() });
});

it('finds in the readings store what the journal no longer holds, recent and long silent', async () => {
  const first = await startIngest();
  const { clock, journal, readings, registry } = first;
  const heardAt = clock.now();
  await first.telemetry({ ts: heardAt, values: { temperature: 20 } }, { device: 'd2' });
  await first.stop();
  clock.jump(heardAt + 20 * 86_400_000);
  const second = await startIngest({ clock, journal, readings, registry });
  await second.telemetry({ ts: clock.now(), values: { temperature: 30 } });
  await second.stop();
  journal.prune((await journal.open()).nextNo);
  const third = await startIngest({ clock, journal, readings, registry });
  expect(third.status.status('d1')).toMatchObject({
    lastSeenAt: clock.now(),
    unknownSince: null,
    values: [{ value: 30 }],
  });
  expect(third.status.status('d2')).toMatchObject({
    lastSeenAt: heardAt,
    unknownSince: heardAt,
    values: [{ value: 20 }],
  });
  // What is known is what new readings are judged against.
  await third.telemetry({ ts: clock.now() - 1, values: { temperature: 99 } });
  expect(third.status.status('d1').values).toMatchObject([{ value: 30 }]);
});

it('starts within five seconds however long the readings store takes', async () => {
  const first = await startIngest();
  const { clock, journal, registry } = first;
  await first.telemetry({ values: { temperature: 20 } });
  await first.stop();
  journal.prune((await journal.open()).nextNo);
  const readings = new MemoryReadings();
  vi.spyOn(readings, 'points').mockReturnValue(new Promise(() => {}));
  let started = false;
  const starting = startIngest({ clock, journal, registry, readings }).then((ingest) => {
    started = true;
    return ingest;
  });
  await until(() => vi.mocked(readings.points).mock.calls.length > 0);
  expect(started).toBe(false);
  clock.advance(5000);
  const { telemetry } = await starting;
  expect(await telemetry({ values: { temperature: 21 } })).toBe(null);
});

it('follows a device that becomes another kind, and forgets the messages of one that is deleted', async () => {
  const { registry, telemetry, status, rows } = await startIngest();
  await telemetry({ seq: 1, values: { temperature: 700 } });
  registry.putDevice({ ...registry.devices.get('d1')!, kind: 'gateway' });
  await telemetry({ seq: 2, values: { temperature: 700 } });
  const [before, after] = rows().map(({ flags }) => flags);
  expect(before).not.toBe(after);
  registry.remove({ entity: 'device', id: 'd1' });
  expect(status.raw('d1')).toEqual([]);
});
