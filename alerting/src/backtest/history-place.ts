import { FireError, Registry, type Rule, type SeriesRow, Words } from '@smart-fire/core';
import { ruleKind } from '../rules/kinds/index.ts';
import { inputsOf } from './bind-metrics.ts';

/** What a rule sees of a device's history: the device, for rules of a zone its zone, with their places and the series that the rule reads. */
export interface HistoryPlace {
  registry: Registry;
  series: SeriesRow[];
  /** Metrics that are stored of them. */
  found: string[];
}

/** Throws FIRE_NOT_FOUND for a device that is not there. */
export function historyPlace(rule: Rule, id: string, all: Registry, series: readonly SeriesRow[]): HistoryPlace {
  const device = all.devices.get(id);
  if (!device) throw new FireError('FIRE_NOT_FOUND', { what: new Words(`设备 ${id}`, `Device ${id}`) });
  const registry = new Registry();
  const site = all.sites.get(device.site);
  // Places above it, since overrides may be theirs.
  for (let area = site && all.areas.get(site.area); area; area = area.parent ? all.areas.get(area.parent) : undefined)
    registry.putArea(area);
  if (site) registry.putSite(site);
  const zone = device.zone === null ? undefined : all.zones.get(device.zone);
  if (zone) registry.putZone(zone);
  const zoneWide = zone !== undefined && ruleKind(rule.definition.type)?.subject === 'zone';
  const devices = zoneWide ? [...all.devices.values()].filter((other) => other.zone === zone.id) : [device];
  for (const known of devices) registry.putDevice({ ...known, gateway: null, disabled: false });
  const stored = series.filter((row) => registry.devices.has(row.device));
  const wanted = new Set(inputsOf(rule));
  const read = wanted.size === 0 ? stored : stored.filter(({ metric }) => wanted.has(metric));
  // The engine numbers series from 0.
  const numbered = read.map((row, index) => ({ ...row, index }));
  return { registry, series: numbered, found: stored.map(({ metric }) => metric as string) };
}
