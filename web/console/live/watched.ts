import { onUnmounted, watch } from 'vue';
import { useLive } from './store.ts';

/** Keeps these devices' values live while the component is there. Several components may watch at once. */
export function useWatched(ids: () => readonly string[]): void {
  const live = useLive();
  const watcher = Symbol();
  watch(ids, (now) => live.watch(watcher, now), { immediate: true });
  onUnmounted(() => live.watch(watcher, []));
}
