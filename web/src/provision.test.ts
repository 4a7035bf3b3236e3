import { Registry } from '@smart-fire/core';
import { verifyAudit } from '@smart-fire/core/node';
import { expect, it } from 'vitest';
import { createPerson } from './create-person.ts';
import { provision } from './provision.ts';
import { secretHash } from './server/access/secret.ts';
import { createTestDeps, PASSWORD } from './testing/test-web.ts';

it('makes 10,000 devices at once, each with its own secret', async () => {
  const { state, registry } = await createTestDeps();
  const devices = Array.from({ length: 10_000 }, (_, index) => ({
    id: `x${index}`,
    kind: 'heat-detector',
    site: 's1',
  }));
  const made = await provision(state, registry, { devices });
  expect(new Set(made.map(({ secret }) => secret)).size).toBe(10_000);
  expect(registry.devices.get('x9999')!.secretHash).toBe(secretHash(made[9999]!.secret));
  const reloaded = new Registry();
  await state.loadRegistry(reloaded);
  expect(reloaded.devices.size).toBe(10_004);
  expect((await verifyAudit(state.db)).broken).toBe(null);
  await state.close();
});

it('run again keeps what is there and gives the devices new secrets', async () => {
  const { state, registry } = await createTestDeps();
  const before = { ...registry.devices.get('d1')! };
  const [device] = await provision(state, registry, {
    areas: [{ id: 'c', parent: null, level: 'city', name: '另' }],
    devices: [{ id: 'd1', kind: 'gateway', site: 's2' }],
  });
  const reloaded = new Registry();
  await state.loadRegistry(reloaded);
  expect(reloaded.areas.get('c')!.name).toBe('县');
  expect(reloaded.devices.get('d1')).toMatchObject({
    kind: before.kind,
    site: 's1',
    secretHash: secretHash(device!.secret),
  });
  await state.close();
});

it('replaces a person of the same name only when told to', async () => {
  const { state } = await createTestDeps();
  const person = { username: 'a', name: 'a', role: 'operator', scope: '/', password: PASSWORD } as const;
  const first = await createPerson(state, person);
  await expect(createPerson(state, person)).rejects.toThrow();
  const second = await createPerson(state, { ...person, role: 'auditor' }, { replace: true });
  expect(second).toEqual({ ...first, role: 'auditor' });
  await expect(createPerson(state, { ...person, username: 'b', password: 'short' })).rejects.toThrow();
  await state.close();
});
