import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry, type RuleBook, type Service } from '@smart-fire/core';
import { createLog, openState, type StateStore } from '@smart-fire/core/node';
import { FakeClock } from '@smart-fire/core/testing';
import { createRuleBook } from '../rulebook/rulebook.ts';
import { KINDS } from './scene.ts';

/** A county `/c/` with towns t1 (site s1, zone z1, devices p1 in z1 and h1) and t2 (site s2, device p2). */
export function county(): Registry {
  const registry = new Registry();
  const area = (id: string, parent: string | null, path: string) =>
    registry.putArea({ id, parent, level: parent ? 'town' : 'city', name: id, code: null, path });
  area('c', null, '/c/');
  for (const n of [1, 2]) {
    area(`t${n}`, 'c', `/c/t${n}/`);
    registry.putSite({ id: `s${n}`, area: `t${n}`, name: '', address: '', contacts: [], path: `/c/t${n}/s${n}/` });
  }
  registry.putZone({ id: 'z1', site: 's1', name: 'z1' });
  for (const [id, kind, site, zone] of [
    ['p1', 'pump', 's1', 'z1'],
    ['h1', 'heat', 's1', null],
    ['p2', 'pump', 's2', null],
  ] as const)
    registry.putDevice({
      ...{ id, kind, site, zone, name: id, gateway: null, location: '', disabled: false, createdAt: 0 },
      secretHash: '',
    });
  return registry;
}

/** A rule book over a real SQLite file that outlives `restart`. */
export class RuleHouse {
  readonly folder = mkdtempSync(join(tmpdir(), 'rules-'));
  readonly clock = new FakeClock();
  readonly registry = county();
  kinds = KINDS;
  state!: StateStore;
  book!: RuleBook & Service;
  changes = 0;

  async open(file = 'state.db'): Promise<this> {
    this.state = await openState(`sqlite:${file}`, { dataDir: this.folder, clock: this.clock });
    // The store knows the places too: lists are narrowed by them.
    for (const area of this.registry.areas.values())
      await this.state.db
        .insertInto('area')
        .values(area)
        .onConflict((one) => one.doNothing())
        .execute();
    for (const site of this.registry.sites.values())
      await this.state.db
        .insertInto('site')
        .values({ ...site, contacts: '[]' })
        .onConflict((one) => one.doNothing())
        .execute();
    const { state, registry, clock } = this;
    this.book = createRuleBook({ state, registry, clock, log: createLog('silent'), sensorKinds: this.kinds });
    await this.book.start();
    this.book.onChange(() => this.changes++);
    return this;
  }

  async restart(): Promise<this> {
    await this.book.stop();
    await this.state.close();
    return this.open();
  }

  async close(): Promise<void> {
    await this.book.stop();
    await this.state.close();
    rmSync(this.folder, { recursive: true });
  }
}
