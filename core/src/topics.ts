import { DEVICE_ID } from './model/place.ts';

export const TOPIC_ROOT = 'smartfire/v1/';
export const UP_CHANNELS = ['telemetry', 'event', 'state', 'command/reply'] as const;
export type UpChannel = (typeof UP_CHANNELS)[number];

export interface DeviceTopic {
  device: string;
  channel: UpChannel | 'command';
}

/** `smartfire/v1/{device}/{channel}` taken apart, or null when it is no device topic. */
export function parseDeviceTopic(topic: string): DeviceTopic | null {
  if (!topic.startsWith(TOPIC_ROOT)) return null;
  const slash = topic.indexOf('/', TOPIC_ROOT.length);
  if (slash < 0) return null;
  const device = topic.slice(TOPIC_ROOT.length, slash);
  const channel = topic.slice(slash + 1);
  if (!DEVICE_ID.test(device)) return null;
  if (channel !== 'command' && !UP_CHANNELS.includes(channel as UpChannel)) return null;
  return { device, channel: channel as UpChannel | 'command' };
}

export function deviceTopic(device: string, channel: UpChannel | 'command'): string {
  return `${TOPIC_ROOT}${device}/${channel}`;
}
