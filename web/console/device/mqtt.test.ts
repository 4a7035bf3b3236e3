import { SENSOR_KINDS } from '@smart-fire/core/sensors';
import { expect, it } from 'vitest';
import { examplePayload, telemetryLine } from './mqtt.ts';

it.each(SENSOR_KINDS.map(({ kind }) => kind))('the example reading of %s is inside its measuring range', (kind) => {
  const { values } = JSON.parse(examplePayload(kind)) as { values: Record<string, number> };
  for (const { metric, measuring } of SENSOR_KINDS.find((one) => one.kind === kind)!.metrics) {
    expect(values[metric]).toBeGreaterThanOrEqual(measuring[0]);
    expect(values[metric]).toBeLessThanOrEqual(measuring[1]);
  }
});

it('the line to paste names the device, its topic and its secret', () => {
  const line = telemetryLine({
    device: 'hydrant-1',
    kind: 'hydrant-pressure',
    host: 'localhost',
    port: 1883,
    secret: 's3cret',
  });
  expect(line).toContain("-u hydrant-1 -P 's3cret' -q 1 -t smartfire/v1/hydrant-1/telemetry -m '{\"values\":");
});
