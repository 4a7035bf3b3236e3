import { Registry } from '@smart-fire/core';
import type { BacktestSeries } from './source.ts';

const PLACE = 'recording';

/** A zone of its own for the detectors of a recording; `kind` is the sensor kind they are taken for. */
export function recordingZone(series: readonly BacktestSeries[], kind: string): Registry {
  const registry = new Registry();
  registry.putArea({ id: PLACE, parent: null, level: 'city', name: PLACE, code: null, path: `/${PLACE}/` });
  const path = `/${PLACE}/${PLACE}/`;
  registry.putSite({ id: PLACE, area: PLACE, name: PLACE, address: '', contacts: [], path });
  registry.putZone({ id: PLACE, site: PLACE, name: PLACE });
  for (const id of new Set(series.map(({ device }) => device)))
    registry.putDevice({
      ...{ id, kind, name: id, site: PLACE, zone: PLACE, gateway: null, location: '' },
      ...{ disabled: false, createdAt: 0, secretHash: '' },
    });
  return registry;
}
