import type { Maintenance } from '@smart-fire/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { useApi } from '../api/index.ts';
import type { MaintenanceRow } from '../api/types.ts';
import { useLive } from '../live/store.ts';
import { usePlaces } from '../place/store.ts';
import { useSession } from '../session.ts';

/** What a device must say of itself to be found in a window. */
export interface Placed {
  id: string;
  kind: string;
  site: string;
  zone: string | null;
}

const REFRESH_MS = 30_000;

/** Announced maintenance: what runs now, and which devices it is about. */
export const useMaintenance = defineStore('maintenance', () => {
  const api = useApi();
  const live = useLive();
  const places = usePlaces();
  const session = useSession();
  const windows = shallowRef<MaintenanceRow[]>([]);
  const problem = ref('');
  const loading = ref(false);
  const running = computed(() => windows.value.filter((one) => isRunning(one, live.now)));
  let loadedAt = 0;

  async function load(): Promise<void> {
    if (!session.may('rule.read')) return;
    loadedAt = Date.now();
    loading.value = true;
    try {
      windows.value = await api.maintenance.all();
      // Which sites lie in an area, only the tree knows.
      if (windows.value.some(({ scope }) => scope.area) && places.sites.length === 0) await places.load();
      problem.value = '';
    } catch (error) {
      problem.value = (error as Error).message;
    } finally {
      loading.value = false;
    }
  }
  // The console's own beat also runs in a background tab.
  watch(
    () => live.now,
    () => {
      if (session.person && Date.now() - loadedAt >= REFRESH_MS) void load();
    },
  );

  return {
    windows,
    problem,
    loading,
    running,
    load,
    /** The window a device is in now. */
    of: (device: Placed): MaintenanceRow | undefined =>
      running.value.find(({ scope }) =>
        isWithin(device, scope, places.sites.find(({ id }) => id === device.site)?.path),
      ),
  };
});

export function isRunning({ from, to }: Pick<Maintenance, 'from' | 'to'>, now: number): boolean {
  return from <= now && now < to;
}

/** All that the scope names must match; `path` is the site's, `/area/…/site/`. */
export function isWithin(device: Placed, scope: Maintenance['scope'], path = ''): boolean {
  return (
    (scope.kinds === undefined || scope.kinds.includes(device.kind)) &&
    (scope.area === undefined || path.split('/').includes(scope.area)) &&
    (scope.site === undefined || scope.site === device.site) &&
    (scope.zone === undefined || scope.zone === device.zone) &&
    (scope.device === undefined || scope.device === device.id)
  );
}
