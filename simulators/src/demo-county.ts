import type { Area, Device, Site, Zone } from '@smart-fire/core';

export type CountyDevice = Omit<Device, 'disabled' | 'createdAt'>;

/** A county to be provisioned, top first: parents come before their children, gateways before what they carry. */
export interface County {
  areas: Omit<Area, 'path'>[];
  sites: Omit<Site, 'path'>[];
  zones: Zone[];
  devices: CountyDevice[];
}

/** What a zone of a building holds, behind the building's gateway. */
type ZoneTemplate = readonly [slug: string, name: string, kinds: readonly string[]];

interface SiteTemplate {
  slug: string;
  name: string;
  zones: readonly ZoneTemplate[];
  /** Devices with a radio of their own: no gateway. */
  direct?: readonly ZoneTemplate[];
}

const FLOOR = ['smoke-detector', 'smoke-detector', 'smoke-detector', 'manual-call-point'] as const;
const RISER = ['residual-current', 'cable-temperature', 'electrical-load'] as const;

/** Invented premises of the kinds a county centre connects; the numbers of the houses and telephones do not exist. */
const SITES: readonly SiteTemplate[] = [
  {
    slug: 'hotel',
    name: '示范宾馆',
    zones: [
      ['f1', '一层大堂与厨房', [...FLOOR, 'heat-detector', 'gas-detector', 'co-detector', 'flow-switch']],
      ['f2', '二层客房', [...FLOOR, 'flow-switch']],
      ['power', '配电间', [...RISER, 'arc-fault']],
      ['pump', '消防泵房', ['sprinkler-pressure', 'tank-level']],
    ],
  },
  {
    slug: 'school',
    name: '示范中心小学',
    zones: [
      ['class', '教学楼', [...FLOOR, 'smoke-detector']],
      ['canteen', '食堂', ['heat-detector', 'gas-detector', 'co-detector', 'manual-call-point']],
      ['power', '配电间', RISER],
    ],
    direct: [['yard', '校园消火栓', ['hydrant-pressure', 'hydrant-pressure']]],
  },
  {
    slug: 'market',
    name: '示范农贸市场',
    zones: [
      ['hall', '交易大厅', [...FLOOR, 'smoke-detector', 'heat-detector', 'flow-switch']],
      ['power', '配电间', [...RISER, 'arc-fault', 'residual-current']],
      ['pump', '消防泵房', ['sprinkler-pressure', 'tank-level']],
    ],
  },
  {
    slug: 'workshop',
    name: '示范木制品加工厂',
    zones: [
      ['floor', '加工车间', [...FLOOR, 'heat-detector', 'co-detector']],
      ['store', '成品仓库', ['smoke-detector', 'smoke-detector', 'heat-detector', 'flow-switch']],
      ['power', '配电间', [...RISER, 'arc-fault']],
      ['pump', '消防泵房', ['sprinkler-pressure', 'tank-level']],
    ],
  },
  {
    slug: 'homes',
    name: '示范养老服务点',
    zones: [['rooms', '居室', [...FLOOR, 'co-detector', 'gas-detector']]],
    direct: [
      ['village', '村内沿街商铺', ['smoke-alarm', 'smoke-alarm', 'smoke-alarm', 'smoke-alarm']],
      ['street', '村道消火栓', ['hydrant-pressure']],
    ],
  },
];

const TOWNS = ['示范一镇', '示范二镇', '示范街道', '示范三镇', '示范四镇'] as const;

/**
 * A county of exactly `size` devices, the same for the same size: two grids a village, two villages a town, five sites a grid in turn.
 * Every name carries 示范 (demonstration) and every telephone number is outside the numbering plan.
 */
export function createCounty(size: number, prefix = 'demo'): County {
  const city = `${prefix}-county`;
  const county: County = {
    areas: [{ id: city, parent: null, level: 'city', name: '示范县(演示数据)', code: null }],
    sites: [],
    zones: [],
    devices: [],
  };
  const area = (id: string, parent: string, level: Area['level'], name: string) => {
    if (!county.areas.some((known) => known.id === id)) county.areas.push({ id, parent, level, name, code: null });
    return id;
  };
  for (let number = 0; county.devices.length < size; number += 1) {
    const template = SITES[number % SITES.length]!;
    const grid = Math.floor(number / 2);
    const village = Math.floor(grid / 2);
    const town = Math.floor(village / 2);
    const townId = area(
      `${prefix}-town-${town + 1}`,
      city,
      'town',
      town < TOWNS.length ? TOWNS[town]! : `示范${town + 1}镇`,
    );
    const villageId = area(`${prefix}-village-${village + 1}`, townId, 'village', `示范${village + 1}村`);
    const gridId = area(`${prefix}-grid-${grid + 1}`, villageId, 'grid', `第${grid + 1}网格`);
    addSite(county, template, `${prefix}-${template.slug}-${number + 1}`, gridId, number, size);
  }
  return county;
}

function addSite(county: County, template: SiteTemplate, id: string, area: string, number: number, size: number): void {
  const house = Math.floor(number / SITES.length) + 1;
  const name = house === 1 ? template.name : `${template.name}${house}部`;
  // 000 is no dialling code: these can never ring anybody.
  const telephone = (post: number) => `000-0000-${String(number * 10 + post).padStart(4, '0')}`;
  county.sites.push({
    id,
    area,
    name,
    address: `示范路 ${number + 1} 号(虚构)`,
    contacts: [
      { name: '示范联系人甲', post: '消防安全管理人', telephone: telephone(1) },
      { name: '示范联系人乙', post: '值班室', telephone: telephone(2) },
    ],
  });
  const gateway = `${id}-gw`;
  const add = (device: CountyDevice) => {
    if (county.devices.length < size) county.devices.push(device);
  };
  add({
    id: gateway,
    kind: 'gateway',
    name: `${name} 传输装置`,
    site: id,
    zone: null,
    gateway: null,
    location: '消防控制室',
  });
  for (const [list, carrier] of [
    [template.zones, gateway],
    [template.direct ?? [], null],
  ] as const) {
    for (const [slug, zoneName, kinds] of list) {
      if (county.devices.length >= size) return;
      const zone = `${id}-${slug}`;
      county.zones.push({ id: zone, site: id, name: zoneName });
      kinds.forEach((kind, position) => {
        const device = `${zone}-${kind}-${position + 1}`;
        add({
          id: device,
          kind,
          name: `${zoneName} ${position + 1} 号`,
          site: id,
          zone,
          gateway: carrier,
          location: `${zoneName} ${position + 1} 号位`,
        });
      });
    }
  }
}

/** The county of `npm run demo`. */
export const DEMO_COUNTY: County = createCounty(200);
