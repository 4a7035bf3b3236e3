import { DEVICE_ID } from '@smart-fire/core';
import { SENSOR_KINDS } from '@smart-fire/core/sensors';
import { describe, expect, it } from 'vitest';
import { createCounty, DEMO_COUNTY } from './demo-county.ts';

describe.each([1, 37, 200, 10_000])('a county of %i devices', (size) => {
  const county = createCounty(size);

  it('has that many, each with a place that exists and parents before children', () => {
    expect(county.devices).toHaveLength(size);
    const areas = new Set<string>();
    for (const { id, parent } of county.areas) {
      if (parent !== null) expect(areas.has(parent)).toBe(true);
      areas.add(id);
    }
    expect(areas.size).toBe(county.areas.length);
    const sites = new Set(county.sites.map(({ id }) => id));
    expect(sites.size).toBe(county.sites.length);
    for (const { area } of county.sites) expect(areas.has(area)).toBe(true);
    const zones = new Map(county.zones.map((zone) => [zone.id, zone.site]));
    expect(zones.size).toBe(county.zones.length);
    const gateways = new Map<string, string>();
    const ids = new Set<string>();
    for (const device of county.devices) {
      expect(device.id).toMatch(DEVICE_ID);
      expect(sites.has(device.site)).toBe(true);
      if (device.zone !== null) expect(zones.get(device.zone)).toBe(device.site);
      if (device.gateway !== null) expect(gateways.get(device.gateway)).toBe(device.site);
      if (device.kind === 'gateway') gateways.set(device.id, device.site);
      ids.add(device.id);
    }
    expect(ids.size).toBe(size);
  });
});

describe('the demo county', () => {
  it('has every kind of sensor and all levels of the area tree', () => {
    expect(new Set(DEMO_COUNTY.devices.map(({ kind }) => kind))).toEqual(new Set(SENSOR_KINDS.map(({ kind }) => kind)));
    expect(new Set(DEMO_COUNTY.areas.map(({ level }) => level))).toEqual(new Set(['city', 'town', 'village', 'grid']));
  });

  it('can be mistaken for no real place, person or telephone', () => {
    expect(DEMO_COUNTY.areas[0]!.name).toContain('演示');
    for (const { name, address, contacts } of DEMO_COUNTY.sites) {
      expect(name).toContain('示范');
      expect(address).toContain('虚构');
      expect(contacts.length).toBeGreaterThan(0);
      for (const contact of contacts) {
        expect(contact.name).toContain('示范');
        expect(contact.telephone).toMatch(/^000-0000-/);
      }
    }
  });
});
