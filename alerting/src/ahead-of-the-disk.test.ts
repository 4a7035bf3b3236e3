import type { Act } from '@smart-fire/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { House } from './testing/house.ts';

const act: Act & { reason: string } = { actor: { id: 'p1', name: 'Wang' }, version: undefined, reason: 'going there' };

let house: House;
beforeEach(async () => {
  house = await new House().open();
});
afterEach(() => house.close());

const stored = async () =>
  (await house.state.db.selectFrom('alarm').select('cause').execute()).map(({ cause }) => cause);
const applied = async () => {
  const rows = await house.state.db.selectFrom('setting').selectAll().execute();
  return Number(rows.find(({ name }) => name.endsWith('applied'))?.value ?? 0);
};
/** Lets everything run that can. */
const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const counts = () =>
  unclosed()
    .map(({ cause, count }) => `${cause} ${count}`)
    .sort();
const unclosed = () => house.alerting.book.unclosed();

describe('what has arrived and is not on disk yet', () => {
  it('is an alarm at once, and is in the store only when the journal has what led to it', async () => {
    house.scene.event('h', 'fire');
    house.arrive();
    expect(house.changes).toEqual(['raised fire:h:']);
    expect(unclosed()).toMatchObject([{ state: 'active-unacknowledged', count: 1, saved: true }]);
    await turns();
    expect(await stored()).toEqual([]);
    await house.commit();
    expect(house.changes).toEqual(['raised fire:h:']);
    await vi.waitFor(async () => expect(await stored()).toEqual(['fire:h:']));
    expect(unclosed()).toMatchObject([{ count: 1 }]);
  });

  it('is told bit by bit, in batches that grow, and acts once', async () => {
    house.scene.event('h', 'fire');
    house.arrive();
    house.scene.event('p', 'fire');
    house.arrive();
    house.arrive();
    house.scene.event('h', 'fire');
    await house.commit();
    expect(house.changes).toEqual(['raised fire:h:', 'raised fire:p:', 'repeated fire:h:']);
    expect(counts()).toEqual(['fire:h: 2', 'fire:p: 1']);
  });

  it('is marked as not saved when the disk takes a second, acts wait no longer, and all is saved when it is back', async () => {
    house.scene.event('h', 'fire');
    house.arrive();
    const [fire] = unclosed();
    const acknowledged = house.alerting.book.acknowledge(fire!.id, { ...act, version: 1 });
    const refused = expect(acknowledged).rejects.toMatchObject({ code: 'FIRE_JOURNAL_SLOW' });
    await turns();
    house.clock.advance(1000);
    await refused;
    expect(unclosed()).toMatchObject([{ saved: false, acknowledgedBy: null }]);
    expect(house.alerting.health()[1]).toMatchObject({ part: 'alarms', level: 'degraded' });
    house.scene.event('p', 'fire');
    house.arrive();
    expect(unclosed()).toMatchObject([{ saved: false }, { saved: false }]);
    await house.commit();
    await vi.waitFor(() => {
      house.clock.advance(250);
      expect(unclosed()).toMatchObject([{ saved: true }, { saved: true }]);
    });
    expect(house.alerting.health()[1]).toMatchObject({ level: 'ok' });
    await house.alerting.book.acknowledge(fire!.id, { ...act, version: 1 });
    expect((await stored()).sort()).toEqual(['fire:h:', 'fire:p:']);
  });

  it('keeps neither an act on another alarm nor a checkpoint waiting, however much more arrives', async () => {
    house.scene.event('h', 'fire');
    await house.commit();
    const [fire] = unclosed();
    house.clock.advance(5000);
    await turns();
    house.scene.now++;
    house.scene.event('p', 'fire');
    house.arrive();
    await house.alerting.book.acknowledge(fire!.id, { ...act, version: 1 });
    expect(unclosed()).toMatchObject([{ cause: 'fire:p:' }, { cause: 'fire:h:', acknowledgedBy: 'Wang' }]);
    expect(await stored()).toEqual(['fire:h:']);
    const saved = () => house.state.db.selectFrom('checkpoint').select('no').where('name', '=', 'alerting').execute();
    await vi.waitFor(async () => expect(await saved()).toMatchObject([{ no: 2 }]));
    expect(await applied()).toBe(1);
    await house.commit();
  });

  it('is taken back by a crash, and is there again when its device has sent it again', async () => {
    house.scene.event('h', 'fire');
    house.arrive();
    await house.crash();
    expect(unclosed()).toEqual([]);
    await house.commit();
    expect(house.changes).toEqual(['raised fire:h:']);
    expect(unclosed()).toMatchObject([{ count: 1 }]);
  });

  it('is not in a checkpoint before it is in the journal', async () => {
    house.scene.event('h', 'test').seconds(1);
    house.arrive();
    house.clock.advance(5000);
    await turns();
    const saved = () => house.state.db.selectFrom('checkpoint').select('no').where('name', '=', 'alerting').execute();
    expect(await saved()).toEqual([]);
    await house.commit();
    await vi.waitFor(async () => expect(await saved()).toMatchObject([{ no: house.scene.nextNo }]));
    expect(await applied()).toBe(house.scene.nextNo - 1);
  });
});

it('a checkpoint that does not come through leaves the one in force whole', async () => {
  const rows = async () => {
    const all = await house.state.db.selectFrom('checkpoint').select(['name', 'no']).orderBy('name').execute();
    return all.map(({ name, no }) => `${name} ${no}`);
  };
  const saved = async () => {
    house.scene.reading('h', 'temperature', 20).seconds(1);
    await house.commit();
    house.clock.advance(5000);
    await turns();
  };
  await saved();
  await vi.waitFor(async () => expect((await rows())[0]).toMatch('alerting '));
  const inForce = await rows();
  expect(inForce).toHaveLength(2);
  // A part of the next one is there, beside those in force, and again.
  for (let time = 0; time < 2; time++) {
    house.transactionsLeft = 1;
    await saved();
    await vi.waitFor(() => expect(house.transactionsLeft).toBeLessThan(0));
    expect(await rows()).toEqual(expect.arrayContaining(inForce));
    expect(await rows()).toHaveLength(3);
  }
  house.transactionsLeft = Infinity;
  await saved();
  await vi.waitFor(async () => expect(await rows()).toHaveLength(2));
  expect(inForce.some((row) => row.startsWith('alerting.1'))).toBe((await rows())[1]!.startsWith('alerting.0'));
});

describe('what had arrived and is refused', () => {
  it('stays an alarm and is saved; sent again it counts on', async () => {
    house.scene.event('h', 'fire');
    house.arrive();
    await house.refuse();
    await vi.waitFor(async () => expect(await stored()).toEqual(['fire:h:']));
    // Numbers go on from what the journal has: nothing with one of those may count as applied.
    expect(await applied()).toBe(0);
    house.scene.event('p', 'fire').event('h', 'fire');
    await house.commit();
    expect(house.changes).toEqual(['raised fire:h:', 'raised fire:p:', 'repeated fire:h:']);
    await house.alarms();
    await house.crash();
    expect(counts()).toEqual(['fire:h: 2', 'fire:p: 1']);
  });

  it('is marked as not saved when the journal refuses what it kept again and again, and is saved with it at last', async () => {
    house.scene.event('h', 'fire');
    house.arrive();
    await turns();
    for (let second = 0; second < 3; second++) {
      house.refused({ no: 1, kept: [1] });
      house.scene.event('h', 'fire');
      house.clock.advance(999);
      await turns();
      expect(unclosed()).toMatchObject([{ saved: second === 0 }]);
      expect(await stored()).toEqual([]);
    }
    await house.commit();
    await vi.waitFor(() => {
      house.clock.advance(250);
      expect(unclosed()).toMatchObject([{ saved: true, count: 1 }]);
    });
    expect(await stored()).toEqual(['fire:h:']);
  });

  it('does not count again when events were kept after all', async () => {
    house.scene.reading('h', 'temperature', 20).event('h', 'fire').event('p', 'fire');
    house.arrive();
    // The readings are refused for want of room; the two events are committed by themselves.
    house.refused({ no: 1, kept: [2, 3] });
    house.scene.event('h', 'fire').event('p', 'fire').event('h', 'fault');
    await house.commit();
    expect(house.changes).toEqual(['raised fire:h:', 'raised fire:p:', 'raised fault:h:']);
    expect(counts()).toEqual(['fault:h: 1', 'fire:h: 1', 'fire:p: 1']);
  });

  it('is saved with the journal that has it when it was kept after all, and counts once after a crash', async () => {
    house.scene.reading('h', 'temperature', 20).event('h', 'fire').event('h', 'fire');
    house.arrive();
    house.refused({ no: 1, kept: [2, 3] });
    house.scene.event('h', 'fire').event('h', 'fire');
    await turns();
    expect(await stored()).toEqual([]);
    await house.commit();
    await vi.waitFor(async () => expect(await stored()).toEqual(['fire:h:']));
    expect(await applied()).toBe(2);
    await house.crash();
    expect(counts()).toEqual(['fire:h: 2']);
  });

  it('is another alarm than the next one of its cause, though both may have begun under one number', async () => {
    house.scene.seconds(9).event('h', 'fire');
    house.arrive();
    house.refused({ no: 1, kept: [10] });
    house.scene.event('h', 'fire');
    await house.commit();
    await house.alarms();
    const { book } = house.alerting;
    const [first] = unclosed();
    await book.verify(first!.id, { ...act, version: undefined, verdict: 'false-alarm', note: '' });
    await book.close(first!.id, { ...act, version: undefined, note: '' });
    house.scene.seconds(8).event('h', 'fire');
    expect(house.scene.arrived().entries.at(-1)!.no).toBe(10);
    await house.commit();
    await vi.waitFor(async () => expect((await house.alarms()).map(({ state }) => state).sort()).toHaveLength(2));
    expect(unclosed()).toMatchObject([{ cause: 'fire:h:', saved: true }]);
    expect(unclosed()[0]!.id).not.toBe(first!.id);
  });

  it('spoils a checkpoint that has seen it, which is not put in force; the next one is', async () => {
    house.scene.event('h', 'test').seconds(1);
    house.arrive();
    house.clock.advance(5000);
    await turns();
    await house.refuse();
    await turns();
    const saved = () => house.state.db.selectFrom('checkpoint').select('no').where('name', '=', 'alerting').execute();
    expect(await saved()).toEqual([]);
    house.scene.event('h', 'test');
    await house.commit();
    await vi.waitFor(async () => {
      house.clock.advance(5000);
      expect(await saved()).toMatchObject([{ no: house.scene.nextNo }]);
    });
  });
});
