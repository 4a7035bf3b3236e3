import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Act, Alarm, Registry } from '@smart-fire/core';
import { MemoryJournal } from '@smart-fire/core/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exportAlarms } from './export.ts';
import { type CheckpointPart, decodePart, encodePart } from './rules/checkpoint.ts';
import type { Effect } from './rules/effect.ts';
import { Engine } from './rules/engine.ts';
import { FakeRules } from './testing/fake-rules.ts';
import { House } from './testing/house.ts';
import { ownRule } from './testing/own-rule.ts';
import { Scene } from './testing/scene.ts';

const act: Act & { reason: string; note: string } = {
  actor: { id: 'p1', name: 'Wang' },
  version: undefined,
  reason: 'going there',
  note: '',
};

const low = 'preset:pump:low';

let house: House;
afterEach(() => house?.close());

const open = async () => {
  house = await new House().open();
  return house;
};

describe('alarms', () => {
  it('are live at once, stored right behind, and acted on with a timeline and an audit trail', async () => {
    const { scene, alerting, state, changes } = await open();
    scene.event('h', 'fire');
    await house.commit();
    const { book } = alerting;
    const [fire] = book.unclosed();
    expect(fire).toMatchObject({ class: 'fire', site: 's2', event: 'fire', version: 1, saved: true });
    await book.acknowledge(fire!.id, { ...act, version: 1 });
    await expect(book.acknowledge(fire!.id, { ...act, version: 1 })).rejects.toMatchObject({
      code: 'FIRE_ALARM_CHANGED',
    });
    await expect(book.close(fire!.id, act)).rejects.toMatchObject({ code: 'FIRE_ALARM_VERDICT_REQUIRED' });
    scene.event('h', 'fire');
    await house.commit();
    expect(book.unclosed()[0]).toMatchObject({ state: 'active-unacknowledged', count: 2, acknowledgedBy: null });
    await book.verify(fire!.id, { ...act, verdict: 'real-fire' });
    const closed = await book.close(fire!.id, act);
    expect(closed).toMatchObject({ state: 'closed', closedBy: 'Wang', version: 5 });
    expect(book.unclosed()).toEqual([]);
    expect(await book.get(fire!.id)).toEqual(closed);
    await expect(book.close(fire!.id, act)).rejects.toMatchObject({ code: 'FIRE_ALARM_CLOSED' });
    await expect(book.close('nothing', act)).rejects.toMatchObject({ code: 'FIRE_NOT_FOUND' });
    expect(await house.metrics.metrics()).toContain('smartfire_alarm_changes_total{class="fire",action="closed"} 1');
    const timeline = await book.timeline(fire!.id);
    expect(timeline.map(({ version, action, actor }) => [version, action, actor])).toEqual([
      [1, 'raised', null],
      [2, 'acknowledged', 'Wang'],
      [3, 'repeated', null],
      [4, 'verified', 'Wang'],
      [5, 'closed', 'Wang'],
    ]);
    const audit = await state.db.selectFrom('audit').select(['actor', 'action', 'subject']).orderBy('no').execute();
    expect(audit).toEqual(
      ['acknowledge', 'verify', 'close'].map((word) => ({
        ...{ actor: 'p1', action: `alarm.${word}`, subject: `alarm:${fire!.id}` },
      })),
    );
    expect(changes).toEqual(
      ['raised', 'acknowledged', 'repeated', 'verified', 'closed'].map((action) => `${action} fire:h:`),
    );
  });

  it('are listed newest first, page by page, within the scope asked for', async () => {
    const { scene, alerting, state } = await open();
    for (const { id, path, area, name } of scene.registry.sites.values()) {
      await state.db
        .insertInto('area')
        .values({ id: 'a', parent: null, level: 'city', name: 'A', code: null, path: '/a/' })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await state.db.insertInto('site').values({ id, path, area, name, address: '', contacts: '[]' }).execute();
    }
    for (const event of ['fire', 'fault', 'tamper']) scene.seconds(1).event('h', event).event('p', event);
    await house.commit();
    const { book } = alerting;
    const all = await house.alarms();
    expect(all).toHaveLength(6);
    const paged: Alarm[] = [];
    for (;;) {
      const last = paged.at(-1);
      const before = last && { raisedAt: last.raisedAt, id: last.id };
      const page = await book.list({ scope: '/a/', limit: 4, before });
      if (page.length === 0) break;
      paged.push(...page);
    }
    expect(paged).toEqual(all);
    expect((await book.list({ scope: '/a/s2/', limit: 9 })).map(({ device }) => device)).toEqual(['h', 'h', 'h']);
    expect(await book.list({ scope: '/a/s_/', limit: 9 })).toEqual([]);
    expect(await book.list({ scope: '/', limit: 9, classes: ['fire'], device: 'p', states: ['closed'] })).toEqual([]);
    expect(await book.list({ scope: '/', limit: 9, from: scene.now, to: scene.now + 1 })).toHaveLength(2);
    const lines: string[] = [];
    for await (const line of exportAlarms(state)) lines.push(line);
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(all.map(({ id }) => id));
    expect(JSON.parse(lines[0]!).timeline[0]).toMatchObject({ action: 'raised' });
  });

  it('clear while an act on them is being saved, and lose neither', async () => {
    const { scene, alerting } = await open();
    scene.event('h', 'fault');
    await house.commit();
    const { book } = alerting;
    const [fault] = book.unclosed();
    await book.timeline(fault!.id);
    const acting = book.acknowledge(fault!.id, act);
    // Let the act reach the store, then clear before its transaction is through.
    await Promise.resolve();
    scene.event('h', 'fault-restored').event('h', 'fault');
    await house.commit();
    await acting;
    const alarms = await house.alarms();
    expect(alarms.map(({ state, count }) => [state, count]).sort()).toEqual([
      ['active-unacknowledged', 1],
      ['closed', 1],
    ]);
    expect(book.unclosed()).toEqual(alarms.filter(({ state }) => state !== 'closed'));
  });
});

describe('the state store', () => {
  it('that is away stops no alarm; acts are refused, and everything is saved in order when it is back', async () => {
    const { scene, alerting, clock } = await open();
    const { book } = alerting;
    house.away = true;
    scene.event('h', 'fire').reading('h', 'temperature', 99);
    await house.commit();
    await vi.waitFor(() => expect(book.unclosed().map(({ saved }) => saved)).toEqual([false, false]));
    expect(alerting.health().find(({ part }) => part === 'alarms')).toMatchObject({ level: 'degraded' });
    const fire = book.unclosed().find(({ event }) => event === 'fire');
    await expect(book.acknowledge(fire!.id, act)).rejects.toMatchObject({ code: 'FIRE_STATE_UNAVAILABLE' });
    expect(book.unclosed()[0]).toMatchObject({ version: 1 });
    scene
      .seconds(1)
      .reading('h', 'temperature', 20)
      .event('h', 'fault')
      .event('h', 'fault-restored')
      .event('h', 'fire');
    await house.commit();
    clock.advance(60_000);
    house.away = false;
    await vi.waitFor(() => {
      clock.advance(10_000);
      expect(book.unclosed().map(({ saved }) => saved)).toEqual([true, true, true]);
    });
    expect(alerting.health().every(({ level }) => level === 'ok')).toBe(true);
    expect(await house.alarms()).toEqual(expect.arrayContaining(book.unclosed()));
    expect((await book.timeline(fire!.id)).map(({ action }) => action)).toEqual(['raised', 'repeated']);
  });
});

describe('a flood', () => {
  it('of 10,000 alarms is saved in portions that hold the event loop for no more than 20 ms', async () => {
    const { scene, alerting } = await open();
    for (let i = 0; i < 10_000; i++) scene.event('h', 'fire', `${i}`);
    const batch = scene.batch();
    await house.journal.commit(batch, { deadLetters: [], marks: [] });
    const took: number[] = [];
    // As ingest does it: one group after the other.
    for (let from = 0; from < batch.count; from += 500) {
      const some = batch.entries.slice(from, from + 500);
      const start = performance.now();
      alerting.committed({ ...batch, firstNo: some[0]!.no, count: some.length, entries: some });
      took.push(performance.now() - start);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const start = performance.now();
    await alerting.book.timeline('any');
    delay.disable();
    const median = took.sort((a, b) => a - b)[took.length / 2]!;
    const held = delay.percentile(99) / 1e6;
    console.log(
      `500 alarms raised in ${median.toFixed(1)} ms, 10,000 saved in ${(performance.now() - start).toFixed(0)} ms, loop held p99 ${held.toFixed(1)} ms, at most ${(delay.max / 1e6).toFixed(1)} ms`,
    );
    expect(held).toBeLessThan(20);
    expect(alerting.book.unclosed()).toHaveLength(10_000);
    const { count } = await house.state.db
      .selectFrom('alarm')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    expect(count).toBe(10_000);
  });
});

describe('alarms in quick succession', () => {
  const stored = () => house.state.db.selectFrom('alarm').select('id').execute();

  it('are shown at once; the first is saved at once, what follows together, and all of it when asked for or at a stop', async () => {
    const { scene, clock, alerting } = await open();
    const raise = async (n: number) => {
      scene.event('h', 'fire', `${n}`);
      await house.commit();
    };
    await raise(0);
    await vi.waitFor(async () => expect(await stored()).toHaveLength(1));
    const before = house.transactions;
    for (let n = 1; n <= 20; n++) await raise(n);
    expect(alerting.book.unclosed()).toHaveLength(21);
    expect(await stored()).toHaveLength(1);
    clock.advance(250);
    await vi.waitFor(async () => expect(await stored()).toHaveLength(21));
    expect(house.transactions - before).toBe(1);
    await raise(21);
    expect(await house.alarms()).toHaveLength(22);
    await raise(22);
    await alerting.stop();
    expect(await stored()).toHaveLength(23);
    await house.start();
  });

  it('and a crash before they are saved lose none and double none', async () => {
    const { scene } = await open();
    for (let n = 0; n < 5; n++) {
      scene.event('h', 'fire', `${n}`);
      await house.commit();
    }
    await house.crash();
    expect(house.alerting.book.unclosed()).toHaveLength(5);
    expect(await house.alarms()).toHaveLength(5);
  });
});

describe('a restart', () => {
  it('finds the same alarms and acknowledgements, raises none twice and misses none that came while down', async () => {
    const { scene, alerting } = await open();
    scene.event('h', 'fire').reading('p', 'pressure', 90).seconds(5);
    await house.commit();
    const [fire] = alerting.book.unclosed();
    await alerting.book.acknowledge(fire!.id, act);
    const before = alerting.book.unclosed();
    await alerting.stop();
    scene.event('h', 'tamper').reading('p', 'pressure', 200);
    await house.commit(false);
    await house.start();
    expect(house.changes).toEqual(['raised tamper:h:', 'cleared preset:pump:low:p:']);
    const after = house.alerting.book.unclosed();
    expect(after.find(({ id }) => id === fire!.id)).toEqual(before.find(({ id }) => id === fire!.id));
    expect(after).toHaveLength(3);
    await house.alerting.stop();
    await house.start();
    expect(house.changes).toEqual([]);
  });

  it('without any checkpoint replays the journal and raises nothing again', async () => {
    const { scene, state } = await open();
    scene.event('h', 'fire').reading('p', 'pressure', 90).seconds(70);
    await house.commit();
    const before = await house.alarms();
    const causes = ['fire:h:', 'preset:gateway:absence:g:', 'preset:heat:absence:h:', 'preset:pump:low:p:'];
    expect(before.map(({ cause }) => cause).sort()).toEqual(causes);
    await state.db.deleteFrom('checkpoint').execute();
    await house.crash();
    expect(house.changes).toEqual([]);
    expect(house.alerting.book.unclosed()).toHaveLength(before.length);
  });

  it('beside another journal starts the rules afresh and is not mute', async () => {
    const { scene, alerting } = await open();
    scene.event('h', 'fire').seconds(30);
    await house.commit();
    await alerting.stop();
    Object.assign(house, { journal: new MemoryJournal() });
    scene.refused(1);
    await house.start();
    expect(house.rules.replays).toEqual([1, null]);
    scene.event('h', 'fault');
    await house.commit();
    expect(house.changes).toEqual(['raised fault:h:']);
    await house.crash();
    expect(house.alerting.book.unclosed().map(({ cause }) => cause)).toEqual(['fire:h:', 'fault:h:']);
  });

  it('clears what the registry no longer watches, and refuses a checkpoint it does not know', async () => {
    const { scene, state } = await open();
    scene.reading('h', 'temperature', 99);
    await house.commit();
    await house.alarms();
    await house.alerting.stop();
    scene.device('h', 'heat', { disabled: true, site: 's2' });
    await house.start();
    expect(house.changes).toEqual(['cleared preset:heat:hot:h:']);
    await house.alerting.stop();
    await state.db.updateTable('checkpoint').set({ format: 99 }).execute();
    await expect(house.start()).rejects.toMatchObject({ code: 'FIRE_FORMAT_UNKNOWN' });
    await state.db.deleteFrom('checkpoint').execute();
    await house.start();
  });
});

describe('rules that change', () => {
  it('are taken over while running, and a restart right behind undoes nothing', async () => {
    const { scene, rules } = await open();
    scene.reading('p', 'pressure', 90).seconds(5).reading('h', 'temperature', 99);
    await house.commit();
    expect(house.changes).toEqual([`raised ${low}:p:`, 'raised preset:heat:hot:h:']);
    rules.change(low, { mode: 'off' });
    expect(house.changes.at(-1)).toBe(`cleared ${low}:p:`);
    await vi.waitFor(async () => {
      const saved = await house.state.db.selectFrom('checkpoint').select('no').where('name', '=', 'alerting').execute();
      expect(saved[0]?.no).toBe(scene.nextNo);
    });
    await house.crash();
    expect(house.changes).toEqual([]);
    expect(house.alerting.book.unclosed().map(({ state }) => state)).toEqual([
      'active-unacknowledged',
      'cleared-unacknowledged',
    ]);
  });

  it('in shadow never reach the alarm book, and are told to the rule book once, replay or not', async () => {
    const { scene, rules, alerting } = await open();
    rules.change(low, { mode: 'shadow' });
    scene.reading('p', 'pressure', 90).seconds(5);
    await house.commit();
    expect(alerting.book.unclosed()).toEqual([]);
    expect(rules.heard()).toEqual([`withheld shadow ${low}:p:`]);
    expect(rules.raises[0]).toMatchObject({ rule: low, device: 'p', site: 's1', class: 'supervisory' });
    await alerting.stop();
    const { nextNo } = await house.journal.open();
    await house.start();
    expect(rules.replays).toEqual([1, nextNo]);
    expect(rules.heard()).toEqual([]);
    scene.seconds(1).reading('p', 'pressure', 200);
    await house.commit();
    expect(rules.heard()).toEqual([`over ${low}:p:`]);
    expect(await house.alarms()).toEqual([]);
  });

  it('say what they hold for normal, and how often they failed', async () => {
    const { rules, scene, alerting } = await open();
    rules.add(ownRule('mine', { type: 'baseline', metric: 'flow', rareDays: 300, warmUp: 10, learn: true }));
    rules.add(ownRule('bad', { type: 'threshold' })).change('', {});
    scene.seconds(200, (second) => scene.reading('p', 'flow', 5 + Math.sin(second)));
    await house.commit();
    const learned = alerting.live.learned('mine', 'p');
    expect(learned).toEqual([
      { point: '', metric: 'flow', centre: expect.any(Number), low: expect.any(Number), high: expect.any(Number) },
    ]);
    await alerting.stop();
    await house.start();
    expect(house.alerting.live.learned('mine', 'p')).toEqual(learned);
    house.alerting.live.reset('mine', 'p');
    expect(house.alerting.live.learned('mine', 'p')).toBeNull();
    expect(house.alerting.live.figures().get('bad')!.errors).toBeGreaterThan(0);
    expect(house.alerting.health().find(({ part }) => part === 'rules')).toMatchObject({ level: 'degraded' });
  });
});

describe('a checkpoint', () => {
  it('of the format before is read: what was raised stays raised, what was counted goes on', async () => {
    const { scene, alerting } = await open();
    scene.reading('h', 'temperature', 99).reading('p', 'pressure', 90).seconds(3);
    await house.commit();
    await alerting.stop();
    const { db } = house.state;
    const { no } = await db
      .selectFrom('checkpoint')
      .select('no')
      .where('name', '=', 'alerting')
      .executeTakeFirstOrThrow();
    await db.deleteFrom('checkpoint').execute();
    const { now } = scene;
    const json = Buffer.from(
      JSON.stringify({
        ...{ next: no, listened: 3000, last: now, devices: ['h', 'p'] },
        rules: [
          { id: 'preset:heat:hot', size: 3 },
          { id: low, size: 3 },
          { id: 'preset:heat:absence', size: 3 },
          { id: 'preset:pump:absence', size: 3 },
        ],
      }),
    );
    const rows = Float64Array.from([
      ...[0, 0, Infinity, NaN, 99],
      ...[1, 1, now - 3000, 5000, 90],
      ...[2, 0, 0, 0, NaN],
      ...[3, 1, 0, 0, NaN],
    ]);
    const data = new Uint8Array(Math.ceil((4 + json.length) / 8) * 8 + rows.byteLength);
    new DataView(data.buffer).setUint32(0, json.length, true);
    data.set(json, 4);
    data.set(new Uint8Array(rows.buffer), data.length - rows.byteLength);
    await db.insertInto('checkpoint').values({ name: 'alerting', no, format: 1, saved_at: 0, data }).execute();
    await house.start();
    expect(house.changes).toEqual([]);
    scene.seconds(2);
    await house.commit();
    expect(house.changes).toEqual([`raised ${low}:p:`]);
    scene.reading('h', 'temperature', 20);
    await house.commit();
    expect(house.changes.at(-1)).toBe('cleared preset:heat:hot:h:');
  });

  it('is written in parts while the rules go on, and is of one moment all the same', async () => {
    const { scene, alerting } = await open();
    const ids = Array.from({ length: 60_000 }, (_, i) => `d${i}`);
    for (const id of ids) scene.device(id, 'heat');
    for (const [index, id] of ids.entries()) {
      const row = { index, device: id, point: '', metric: 'temperature' as const };
      scene.series.push(row);
    }
    await alerting.stop();
    const { engine, effects } = engineOf(scene);
    for (let i = 0; i < ids.length; i++) scene.readAgain(i, i % 2 === 0 ? 20 : 99);
    engine.consume(scene.batch());
    const { head, parts } = engine.snapshot();
    const written: CheckpointPart[] = [];
    let second = 0;
    for (const part of parts()) {
      if (part) written.push(decodePart(encodePart(part)));
      // Every hot one cools down, every cool one gets hot, meanwhile.
      scene.seconds(1);
      for (let i = 0; i < ids.length; i += 7) scene.readAgain(i, second % 2 === 0 ? 20 : 99);
      second++;
      engine.consume(scene.batch());
    }
    expect(written.length).toBeGreaterThan(1);
    const again = engineOf(scene);
    again.engine.restore(head, written);
    again.engine.reconcile([], scene.now);
    expect(again.effects.length).toBe(30_000);
    expect(effects.length).toBeGreaterThan(30_000);
    await house.start();
  });
});

function engineOf(scene: Scene) {
  const effects: Effect[] = [];
  const engine = new Engine({
    ...{ registry: scene.registry, ...new FakeRules().current(), series: scene.series, timeZone: 'UTC' },
    emit: (effect) => effects.push(effect),
  });
  return { engine, effects };
}

/** What a device does in one step of the model; both sites have the same devices, told apart by their prefix. */
type Step =
  | { site: 'x' | 'y'; do: 'reading'; value: number }
  | { site: 'x' | 'y'; do: 'late'; value: number }
  | { site: 'x' | 'y'; do: 'event'; event: string }
  | { do: 'seconds'; count: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        site: fc.constantFrom('x', 'y'),
        do: fc.constant('reading' as const),
        value: fc.constantFrom(80, 105, 120),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        site: fc.constantFrom('x', 'y'),
        do: fc.constant('late' as const),
        value: fc.constantFrom(80, 120),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        site: fc.constantFrom('x', 'y'),
        do: fc.constant('event' as const),
        event: fc.constantFrom('fire', 'restored', 'fault', 'fault-restored', 'test'),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('seconds' as const), count: fc.constantFrom(1, 5, 40) }) },
  ),
  { minLength: 1, maxLength: 25 },
);

function populate(scene: Scene): Registry {
  for (const site of ['x', 'y']) {
    scene.device(`${site}g`, 'gateway').device(`${site}p`, 'pump', { gateway: `${site}g` });
    scene.device(`${site}q`, 'pump', { gateway: `${site}g` });
  }
  return scene.registry;
}

function perform(scene: Scene, one: Step): void {
  if (one.do === 'seconds')
    scene.seconds(one.count, (second) => {
      // The gateways of both sites stay alive for as long as not much time passes at once.
      if (one.count < 40 && second % 5 === 0) scene.event('xg', 'test').event('yg', 'test');
    });
  else if (one.do === 'event') scene.event(`${one.site}p`, one.event);
  else
    scene
      .reading(`${one.site}p`, 'pressure', one.value, { late: one.do === 'late' })
      .reading(`${one.site}q`, 'pressure', one.value);
}

/** What must be the same whatever happens to the machine. */
const essence = (alarms: Alarm[]) =>
  alarms
    .map(({ id, cause, state, count, raisedAt, version }) => ({ id, cause, state, count, raisedAt, version }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));

describe('the model', () => {
  it('gives the same alarms with redelivery, restarts and crashes between any two steps', async () => {
    await open();
    const run = async (script: Step[], trouble: (i: number) => number) => {
      const one = house;
      await one.alerting.stop();
      for (const table of ['alarm_entry', 'alarm', 'checkpoint', 'setting'] as const)
        await one.state.db
          .deleteFrom(table)
          .$if(table === 'setting', (query) => query.where('name' as never, 'like', 'alerting%' as never))
          .execute();
      Object.assign(one, { scene: new Scene(), journal: new MemoryJournal() });
      populate(one.scene);
      await one.start();
      for (const [i, step] of script.entries()) {
        perform(one.scene, step);
        const what = trouble(i);
        // Shown before it is on disk, and in the last case lost before it was: its device sends it again.
        if (what >= 5) one.alerting.arrived(one.scene.arrived());
        if (what === 6) await one.crash();
        const batch = await one.commit(what !== 3);
        if (what === 1) one.alerting.committed(batch);
        if (what === 2) {
          await one.alerting.stop();
          await one.start();
        }
        // Killed before the rules had the batch, or at once after.
        if (what === 3 || what === 4) await one.crash();
      }
      return essence(await one.alarms());
    };
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.nat(6), { minLength: 25, maxLength: 25 }), async (script, troubles) => {
        const calm = await run(script, () => 0);
        const rough = await run(script, (i) => troubles[i]!);
        expect(rough).toEqual(calm);
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
