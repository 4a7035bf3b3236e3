import { defineStore } from 'pinia';
import { ref } from 'vue';

export interface Notice {
  id: number;
  kind: 'done' | 'problem';
  text: string;
}

const SHOWN_MS = { done: 4000, problem: 12_000 };

/** Short answers to what a person just did. Never used for alarms. */
export const useNotices = defineStore('notices', () => {
  const notices = ref<Notice[]>([]);
  let last = 0;

  function add(kind: Notice['kind'], text: string): void {
    const id = ++last;
    notices.value.push({ id, kind, text });
    setTimeout(() => remove(id), SHOWN_MS[kind]);
  }
  function remove(id: number): void {
    notices.value = notices.value.filter((notice) => notice.id !== id);
  }

  return {
    notices,
    remove,
    done: (text: string) => add('done', text),
    problem: (error: unknown) => add('problem', error instanceof Error ? error.message : String(error)),
  };
});
