import { FireError, type Maintenance, type WithheldRaise } from '@smart-fire/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RuleHouse } from '../testing/rule-house.ts';
import { KEPT_PER_RULE } from './withheld.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const lead = { id: 'lead', scope: '/' };
const townLead = { id: 'town-lead', scope: '/c/t1/' };

let house: RuleHouse;
beforeEach(async () => {
  house = await new RuleHouse().open();
});
afterEach(() => house.close());

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof FireError ? error.code : String(error)),
  );
const window = (more: Partial<Maintenance> = {}) => {
  const now = house.clock.now();
  return { scope: { site: 's1' }, from: now, to: now + 2 * HOUR, reason: '更换水泵', ...more };
};
const raise = (no: number, more: Partial<WithheldRaise> = {}): WithheldRaise => ({
  ...{ no, cause: 'preset:pump:low:p1:', why: 'shadow', rule: 'preset:pump:low', maintenance: null },
  ...{ class: 'supervisory', level: null, device: 'p1', point: '', site: 's1', zone: 'z1', time: 1000 * no },
  ...{ explanation: { zh: '低', en: 'low' }, ...more },
});
const all = { scope: '/', limit: 10_000 };

describe('a maintenance window', () => {
  it('is announced, survives a restart and ends by itself', async () => {
    const { id } = await house.book.announce(lead, window());
    await house.restart();
    expect(house.book.current().maintenance).toMatchObject([{ id, by: 'lead', reason: '更换水泵' }]);
    house.clock.advance(40 * DAY);
    expect(house.book.current().maintenance).toEqual([]);
    expect(house.book.maintenance('/')).toEqual([]);
  });

  it('needs a place, a reason and an end within 31 days', async () => {
    const now = house.clock.now();
    for (const wrong of [
      { scope: {} },
      { scope: { kinds: ['pump'] } },
      { scope: { site: 'nowhere' } },
      { scope: { site: 's1', area: 't2' } },
      { scope: { site: 's1', kinds: ['nonsense'] } },
      { reason: '  ' },
      { to: now - 1, from: now - HOUR },
      { to: now },
      { to: now + 31 * DAY + 1 },
      { from: now - 2 * DAY },
      { from: now + 400 * DAY, to: now + 401 * DAY },
    ])
      expect([wrong, await code(house.book.announce(lead, window(wrong)))]).toEqual([wrong, 'FIRE_REQUEST_INVALID']);
    expect(await code(house.book.announce(lead, window({ to: now + 31 * DAY })))).toBe('done');
  });

  it('is ended before its time, or taken back before it begins, with the trail of both', async () => {
    const running = await house.book.announce(lead, window());
    const coming = await house.book.announce(lead, window({ from: house.clock.now() + HOUR }));
    house.clock.advance(1000);
    await house.book.endMaintenance(lead, running.id);
    await house.book.endMaintenance(lead, coming.id);
    expect(house.book.maintenance('/')).toMatchObject([{ id: running.id, to: house.clock.now(), endedBy: 'lead' }]);
    expect(await code(house.book.endMaintenance(lead, running.id))).toBe('FIRE_MAINTENANCE_OVER');
    const rows = await house.state.db.selectFrom('audit').select('action').orderBy('no').execute();
    expect(rows.map(({ action }) => action.split('.')[1])).toEqual(['create', 'create', 'end', 'delete']);
  });

  it('leaves the next town its share, however many there are in one', async () => {
    for (let count = 0; count < 200; count++) await house.book.announce(townLead, window());
    expect(await code(house.book.announce(townLead, window()))).toBe('FIRE_REQUEST_INVALID');
    expect(await code(house.book.announce({ id: 'other', scope: '/c/t2/' }, window({ scope: { site: 's2' } })))).toBe(
      'done',
    );
    expect(await code(house.book.announce(lead, window()))).toBe('done');
    house.clock.advance(3 * HOUR);
    expect(await code(house.book.announce(townLead, window()))).toBe('done');
  });

  it('is announced only within one’s own area', async () => {
    expect(await code(house.book.announce(townLead, window()))).toBe('done');
    expect(await code(house.book.announce(townLead, window({ scope: { area: 'c' } })))).toBe('FIRE_PERMISSION_DENIED');
    expect(await code(house.book.announce(townLead, window({ scope: { site: 's2' } })))).toBe('FIRE_REQUEST_INVALID');
    const { id } = await house.book.announce(lead, window({ scope: { site: 's2' } }));
    expect(await code(house.book.endMaintenance(townLead, id))).toBe('FIRE_NOT_FOUND');
  });
});

describe('what was withheld', () => {
  it('is kept with its repeats and its end, over a restart, and once also in replay', async () => {
    house.book.withhold(raise(1));
    house.book.withhold(raise(2, { level: 'fire' }));
    await house.restart();
    for (const no of [1, 2]) house.book.withhold(raise(no));
    house.book.withhold(raise(3, { level: 'fire' }));
    house.book.withheldOver({ no: 4, cause: 'preset:pump:low:p1:', time: 4000 });
    expect(await house.book.withheld(all)).toMatchObject([
      { raisedAt: 1000, overAt: 4000, count: 3, level: 'fire', why: 'shadow' },
    ]);
    house.book.withhold(raise(5));
    expect(await house.book.withheld(all)).toHaveLength(2);
  });

  it('is not doubled by a replay from before its end', async () => {
    house.book.withhold(raise(5));
    house.book.withhold(raise(12));
    house.book.withheldOver({ no: 20, cause: raise(5).cause, time: 20_000 });
    await house.restart();
    await house.book.replayFrom(10, 21);
    house.book.withhold(raise(12));
    house.book.withheldOver({ no: 20, cause: raise(5).cause, time: 20_000 });
    house.book.withhold(raise(25));
    expect(await house.book.withheld(all)).toMatchObject([
      { raisedAt: 25_000, overAt: null, count: 1 },
      { raisedAt: 5000, overAt: 20_000, count: 2 },
    ]);
  });

  it('goes on when the journal was replaced, whose numbers begin again', async () => {
    house.book.withhold(raise(500));
    await house.restart();
    await house.book.replayFrom(null, 1);
    house.book.withheldOver({ no: 3, cause: raise(1).cause, time: 600_000 });
    house.book.withhold(raise(4, { time: 700_000 }));
    expect(await house.book.withheld(all)).toMatchObject([
      { raisedAt: 700_000 },
      { raisedAt: 500_000, overAt: 600_000 },
    ]);
  });

  it.each(['refused', 'lost in a crash'])(
    'ends with its condition, also when what it was told last was %s by the journal',
    async (how) => {
      house.book.withhold(raise(5));
      house.book.withhold(raise(5000));
      await house.book.flush();
      if (how === 'refused') house.book.refused(100);
      else {
        await house.restart();
        await house.book.replayFrom(50, 100);
      }
      house.book.withhold(raise(120));
      house.book.withheldOver({ no: 150, cause: raise(5).cause, time: 20_000 });
      expect(await house.book.withheld(all)).toMatchObject([{ raisedAt: 5000, overAt: 20_000, count: 3 }]);
      expect(house.book.withheldNow('/')).toEqual(new Map());
    },
  );

  it('is listed by rule, by window and by place', async () => {
    house.book.withhold(raise(1));
    house.book.withhold(raise(2, { cause: 'x', why: 'maintenance', maintenance: 'm1', site: 's2', device: 'p2' }));
    const devices = async (query: object) =>
      (await house.book.withheld({ ...all, ...query })).map(({ device }) => device);
    expect(await devices({ why: 'shadow' })).toEqual(['p1']);
    expect(await devices({ maintenance: 'm1' })).toEqual(['p2']);
    expect(await devices({ scope: '/c/t1/' })).toEqual(['p1']);
    expect(await devices({ rule: 'other' })).toEqual([]);
    expect(await house.book.withheldCounts('/', 0)).toEqual(new Map([['preset:pump:low', { shadow: 1, other: 1 }]]));
    expect(await house.book.withheldCounts('/c/t1/', 0)).toEqual(
      new Map([['preset:pump:low', { shadow: 1, other: 0 }]]),
    );
  });

  it('is counted by window while it is there, for those who may see it', async () => {
    house.book.withhold(raise(1, { cause: 'a', why: 'maintenance', maintenance: 'm1' }));
    house.book.withhold(raise(2, { cause: 'b', why: 'maintenance', maintenance: 'm1', site: 's2', device: 'p2' }));
    house.book.withhold(raise(3, { cause: 'c' }));
    expect(house.book.withheldNow('/')).toEqual(new Map([['m1', 2]]));
    expect(house.book.withheldNow('/c/t1/')).toEqual(new Map([['m1', 1]]));
    await house.restart();
    house.book.withheldOver({ no: 4, cause: 'a', time: 4000 });
    expect(house.book.withheldNow('/')).toEqual(new Map([['m1', 1]]));
  });

  it('is bounded per rule, newest kept', async () => {
    for (let no = 1; no <= KEPT_PER_RULE + 50; no++) house.book.withhold(raise(no, { cause: `c${no}` }));
    house.book.withhold(raise(1, { cause: 'other', rule: 'other' }));
    const kept = await house.book.withheld(all);
    expect(kept).toHaveLength(KEPT_PER_RULE + 1);
    expect(kept[0]?.cause).toBe(`c${KEPT_PER_RULE + 50}`);
  });

  it('waits while the state store is away', async () => {
    const { transaction } = house.state;
    house.state.transaction = async () => {
      throw new FireError('FIRE_STATE_UNAVAILABLE');
    };
    house.book.withhold(raise(1));
    expect(await code(house.book.flush())).toBe('FIRE_STATE_UNAVAILABLE');
    house.state.transaction = transaction;
    await house.book.flush();
    expect(await house.book.withheld(all)).toHaveLength(1);
  });
});
