import { deviceTopic, type Metric } from '@smart-fire/core';
import { getSensorKind } from '@smart-fire/core/sensors';

/** What a device needs to report here. */
export interface MqttAccess {
  device: string;
  kind: string;
  host: string;
  port: number;
  /** Absent = shown as a place to fill in: a secret is shown once only. */
  secret?: string | undefined;
}

export const SECRET_PLACEHOLDER = '<SECRET>';

/** One reading of every metric of the kind, well inside its measuring range, as the telemetry payload. */
export function examplePayload(kind: string): string {
  const values: Partial<Record<Metric, number>> = {};
  for (const { metric, measuring } of getSensorKind(kind)?.metrics ?? []) {
    values[metric] = Number((measuring[0] + (measuring[1] - measuring[0]) * 0.2).toPrecision(2));
  }
  return JSON.stringify({ values });
}

/** A line for a shell that publishes one reading, acknowledged (QoS 1). */
export function telemetryLine(access: MqttAccess): string {
  return publishLine(access, deviceTopic(access.device, 'telemetry'), examplePayload(access.kind));
}

/** A line for a shell that declares a fire: to be followed by its `restored`. */
export function eventLine(access: MqttAccess, event: string): string {
  return publishLine(access, deviceTopic(access.device, 'event'), JSON.stringify({ event }));
}

function publishLine(
  { device, host, port, secret = SECRET_PLACEHOLDER }: MqttAccess,
  topic: string,
  payload: string,
): string {
  return `mosquitto_pub -h ${host} -p ${port} -u ${device} -P '${secret}' -q 1 -t ${topic} -m '${payload}'`;
}
