import type { HealthItem } from '@smart-fire/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, triggerRef } from 'vue';
import type { AlarmRow, LiveDevice } from '../api/types.ts';
import { useSession } from '../session.ts';
import { useSiren } from '../sound/store.ts';
import { createChanges, nextFrame } from './changes.ts';
import { initialLink, isStale, type LinkEffect, type LinkEvent, stepLink } from './link.ts';

type Change =
  | { entity: 'alarm'; id: string; value: AlarmRow | null }
  | { entity: 'device'; id: string; value: LiveDevice | null }
  | { entity: 'health'; id: string; value: HealthItem | null };

type Message =
  | {
      type: 'snapshot';
      seq: number;
      alarms: AlarmRow[];
      devices: LiveDevice[];
      health: HealthItem[];
      serverTime: number;
    }
  | { type: 'patch'; from: number; seq: number; changes: Change[] }
  | { type: 'ping'; seq: number; serverTime: number }
  | { type: 'resync' };

/** Close codes of the server: the session is over; everything else is tried again. */
const LOGGED_OUT = 4401;
/** The server watches no more devices for one console. */
const WATCHED_MAX = 2000;

/** What the server says now: unclosed alarms, watched devices, health; and whether that can still be relied on. */
export const useLive = defineStore('live', () => {
  const siren = useSiren();
  const session = useSession();
  const alarms = shallowRef(new Map<string, AlarmRow>());
  const devices = shallowRef(new Map<string, LiveDevice>());
  const health = shallowRef<HealthItem[]>([]);
  const link = shallowRef(initialLink);
  /** Our own clock, corrected by the server's, once a second: ages count on it. */
  const now = ref(Date.now());
  const stale = computed(() => isStale(link.value));
  let offset = 0;
  const wanted = new Map<symbol, readonly string[]>();
  let watched: readonly string[] = [];
  let socket: WebSocket | null = null;
  let beat: Worker | null = null;

  const changes = createChanges<Change>(nextFrame, (all) => {
    const touched = new Set<Change['entity']>();
    for (const { entity, id, value } of [...all.values()]) {
      touched.add(entity);
      if (entity === 'alarm') put(alarms.value, id, value && value.state !== 'closed' ? value : null);
      else if (entity === 'device') put(devices.value, id, value);
      else health.value = [...health.value.filter(({ part }) => part !== id), ...(value ? [value] : [])];
    }
    if (touched.has('alarm')) triggerRef(alarms);
    if (touched.has('device')) triggerRef(devices);
  });

  function send(event: LinkEvent): boolean {
    const step = stepLink(link.value, event, Date.now());
    link.value = step.link;
    for (const effect of step.effects) perform(effect);
    return step.effects.includes('apply');
  }

  function perform(effect: LinkEffect): void {
    if (effect === 'connect') connect();
    else if (effect === 'hello') hello();
    else if (effect === 'drop') drop();
  }

  function connect(): void {
    drop();
    const url = new URL('/api/v1/live', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const mine = new WebSocket(url);
    socket = mine;
    mine.onopen = () => mine === socket && send({ type: 'opened' });
    mine.onmessage = ({ data }) => mine === socket && receive(JSON.parse(String(data)) as Message);
    mine.onclose = ({ code }) => {
      if (mine !== socket) return;
      socket = null;
      send({ type: 'closed' });
      if (code === LOGGED_OUT) session.ended();
    };
  }

  function drop(): void {
    const mine = socket;
    socket = null;
    mine?.close();
  }

  function hello(): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'hello', watch: watched }));
  }

  function receive(message: Message): void {
    if ('serverTime' in message) {
      offset = message.serverTime - Date.now();
      tick();
    }
    if (!send(message)) return;
    if (message.type === 'snapshot') replaceAll(message);
    else if (message.type === 'patch') patch(message.changes);
  }

  function replaceAll(snapshot: Extract<Message, { type: 'snapshot' }>): void {
    changes.clear();
    alarms.value = new Map(snapshot.alarms.map((alarm) => [alarm.id, alarm]));
    devices.value = new Map(snapshot.devices.map((device) => [device.device, device]));
    health.value = snapshot.health;
    siren.snapshot(snapshot.alarms);
  }

  function patch(list: Change[]): void {
    const heard = new Map<string, AlarmRow | null>();
    for (const change of list) {
      changes.put(`${change.entity}:${change.id}`, change);
      if (change.entity === 'alarm') heard.set(change.id, change.value);
    }
    // At once, not with the next frame: a page in the background draws none.
    if (heard.size > 0) siren.changed(heard);
  }

  function tick(): void {
    now.value = Date.now() + offset;
  }

  return {
    alarms,
    devices,
    health,
    stale,
    now,
    heardAt: computed(() => (link.value.heardAt === null ? null : link.value.heardAt + offset)),
    start() {
      if (beat) return;
      beat = new Worker(new URL('./beat.worker.ts', import.meta.url), { type: 'module' });
      beat.onmessage = () => {
        tick();
        send({ type: 'beat' });
      };
      send({ type: 'start' });
    },
    stop() {
      beat?.terminate();
      beat = null;
      drop();
      changes.clear();
      link.value = initialLink;
      alarms.value = new Map();
      devices.value = new Map();
      health.value = [];
      siren.snapshot([]);
    },
    /** Which devices' values one watcher wants (none = it is gone); the answer is a new snapshot for all of them. */
    watch(watcher: symbol, ids: readonly string[]) {
      wanted.delete(watcher);
      if (ids.length > 0) wanted.set(watcher, ids);
      // The newest watcher first: it is what the person looks at.
      const next = [...new Set([...wanted.values()].reverse().flat())].slice(0, WATCHED_MAX);
      if (next.length === watched.length && next.every((id, i) => id === watched[i])) return;
      watched = next;
      hello();
    },
    /** The answer to an act, ahead of the patch that will say the same. */
    put(alarm: AlarmRow) {
      patch([{ entity: 'alarm', id: alarm.id, value: alarm }]);
    },
  };
});

function put<T>(map: Map<string, T>, id: string, value: T | null): void {
  if (value === null) map.delete(id);
  else map.set(id, value);
}
