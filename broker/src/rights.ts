import { type DeviceTopic, parseDeviceTopic, type Registry, TOPIC_ROOT } from '@smart-fire/core';
import { TOPIC_LEVELS_MAX } from './packet-check.ts';

/** Who may use which topics. A user is a device id; in an open broker anybody. */
export interface Rights {
  /** The device topic this user may publish on; null = it may not; `ordinary` = none of ours, allowed because the broker is open. */
  publish(
    user: string,
    topic: string,
  ): (DeviceTopic & { channel: Exclude<DeviceTopic['channel'], 'command'> }) | 'ordinary' | null;
  subscribe(user: string, filter: string): boolean;
  /** Whether a message on this topic may be handed to the user. */
  receive(user: string, topic: string): boolean;
}

/**
 * A device uses its own subtree and, as a gateway, those of the devices it carries: changes of the registry count at once.
 * `$share/` is refused always: it would be granted and never served; `$SYS/` is the broker's own.
 */
export function createRights(registry: Registry, open: boolean): Rights {
  const carries = (user: string, device: string): boolean => {
    const registered = registry.devices.get(device);
    return registered !== undefined && (device === user || registered.gateway === user);
  };
  const withinOwn = (user: string, path: string): boolean => {
    if (!path.startsWith(TOPIC_ROOT)) return false;
    const slash = path.indexOf('/', TOPIC_ROOT.length);
    return slash > 0 && carries(user, path.slice(TOPIC_ROOT.length, slash));
  };
  return {
    publish(user, topic) {
      const target = parseDeviceTopic(topic);
      if (target && target.channel !== 'command' && (open || carries(user, target.device)))
        return { device: target.device, channel: target.channel };
      return open && !topic.startsWith('$') ? 'ordinary' : null;
    },
    subscribe(user, filter) {
      if (filter.startsWith('$share/') || filter.startsWith('$SYS')) return false;
      if (filter.split('/').length > TOPIC_LEVELS_MAX) return false;
      return open || withinOwn(user, filter);
    },
    receive(user, topic) {
      if (open) return !topic.startsWith('$SYS/');
      return withinOwn(user, topic);
    },
  };
}

/** Client ids are the user's own: nobody takes over another's session by naming its id. */
export function ownClientId(user: string, clientId: string): string {
  return `${encodeURIComponent(user)}/${clientId}`;
}

/** The user a client id of ours belongs to. */
export function userOf(ownId: string): string {
  return decodeURIComponent(ownId.slice(0, Math.max(0, ownId.indexOf('/'))));
}

/** Whether a valid filter matches a topic [MQTT 3.1.1 §4.7]. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return filter === topic;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [at, level] of wanted.entries()) {
    if (level === '#') return true;
    if (at >= levels.length || (level !== '+' && level !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}
