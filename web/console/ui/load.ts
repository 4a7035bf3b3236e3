import { ref, type ShallowRef, shallowRef } from 'vue';
import type { Page } from '../api/types.ts';

/** Something fetched, with what a page has to show meanwhile. */
export function useLoad<T>(fetch: () => Promise<T>) {
  const data = shallowRef<T | null>(null) as ShallowRef<T | null>;
  const problem = ref('');
  const loading = ref(false);
  let turn = 0;

  async function load(): Promise<void> {
    const mine = ++turn;
    loading.value = true;
    try {
      const answer = await fetch();
      // A slow answer to an older question must not replace a newer one.
      if (mine !== turn) return;
      data.value = answer;
      problem.value = '';
    } catch (error) {
      if (mine === turn) problem.value = (error as Error).message;
    } finally {
      if (mine === turn) loading.value = false;
    }
  }

  return { data, problem, loading, load };
}

/** A list read page by page: `load` starts anew, `more` adds the next page. */
export function usePages<T>(fetch: (cursor: string | null) => Promise<Page<T>>) {
  const items = shallowRef<T[]>([]);
  const next = ref<string | null>(null);
  const first = useLoad(() => fetch(null));

  async function load(): Promise<void> {
    await first.load();
    if (!first.data.value || first.problem.value) return;
    items.value = first.data.value.items;
    next.value = first.data.value.next;
  }
  async function more(): Promise<void> {
    if (!next.value || first.loading.value) return;
    first.loading.value = true;
    try {
      const page = await fetch(next.value);
      items.value = [...items.value, ...page.items];
      next.value = page.next;
    } catch (error) {
      first.problem.value = (error as Error).message;
    } finally {
      first.loading.value = false;
    }
  }

  return { items, next, problem: first.problem, loading: first.loading, load, more };
}
