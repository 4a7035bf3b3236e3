/** Devices of the bench: gateways that log in, and the detectors that they speak for. Ids of one length, so that packets are too. */
export interface FleetGateway {
  id: string;
  /** Empty until the platform has made one; the peers without access control take any. */
  secret: string;
  children: string[];
}

export const GATEWAY_KIND = 'gateway';
/** Its presets and the gateway's are the ten rules of the bench. */
export const CHILD_KIND = 'co-detector';
/** The metric of ordinary readings: three of the ten rules look at each. */
export const READING_METRIC = 'co';
/** The metric of readings that alert: below 20 % the preset `battery-low` raises at once, from 30 % on it clears. */
export const ALERT_METRIC = 'battery';

export function fleetOf(name: string, gateways: number, childrenEach: number): FleetGateway[] {
  const number = (value: number, width: number) => String(value).padStart(width, '0');
  return Array.from({ length: gateways }, (_, gateway) => ({
    id: `${name}-${number(gateway, 3)}`,
    secret: '',
    children: Array.from({ length: childrenEach }, (_, child) => `${name}-${number(gateway, 3)}-${number(child, 3)}`),
  }));
}

export interface Fleet {
  /** 50 gateways of 200 detectors: 10,000 devices on 50 connections. */
  wide: FleetGateway[];
  /** 500 gateways of 20 detectors: 10,000 devices on 500 connections. */
  deep: FleetGateway[];
}

export const newFleet = (): Fleet => ({ wide: fleetOf('wide', 50, 200), deep: fleetOf('deep', 500, 20) });
