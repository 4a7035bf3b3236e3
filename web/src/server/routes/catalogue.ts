import { METRIC_NAMES, METRICS } from '@smart-fire/core';
import { SENSOR_KINDS } from '@smart-fire/core/sensors';
import type { App } from '../app.ts';
import { answers } from '../schemas/answers.ts';
import { listOf } from '../schemas/list.ts';
import { metricEntry, sensorKind } from '../schemas/things.ts';

/** What can be measured, and by what: the same for everybody, from the program itself. */
export function addCatalogueRoutes(app: App): void {
  const metrics = METRIC_NAMES.map((metric) => ({ metric, ...METRICS[metric] }));
  const kinds = SENSOR_KINDS.map(({ kind, zh, en, metrics, intervalMs, rules }) => ({
    ...{ kind, zh, en, intervalMs, rules: [...rules] },
    metrics: metrics.map(({ metric, valid, measuring }) => ({
      ...{ metric, ...METRICS[metric] },
      valid: [...valid] as [number, number],
      measuring: [...measuring] as [number, number],
    })),
  }));

  app.get(
    '/api/v1/metrics-catalogue',
    {
      config: { permission: 'device.read' },
      schema: { summary: 'Metrics, with units and names', response: answers(200, listOf(metricEntry)) },
    },
    async () => ({ items: metrics, next: null }),
  );

  app.get(
    '/api/v1/sensor-kinds',
    {
      config: { permission: 'device.read' },
      schema: { summary: 'Kinds of sensors, with ranges and preset rules', response: answers(200, listOf(sensorKind)) },
    },
    async () => ({ items: kinds, next: null }),
  );
}
