import type { Permission } from '@smart-fire/core';
import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import { useApi } from './api/index.ts';
import type { Session } from './api/types.ts';

/** Who is logged in at this seat. */
export const useSession = defineStore('session', () => {
  const api = useApi();
  const session = shallowRef<Session | null>(null);
  let asked = false;

  const ended = () => {
    session.value = null;
  };
  api.onLoggedOut(ended);

  return {
    session,
    person: computed(() => session.value?.person ?? null),
    timeZone: computed(() => session.value?.timeZone),
    mqttPort: computed(() => session.value?.mqttPort ?? 0),
    may: (permission: Permission) => session.value?.permissions.includes(permission) ?? false,
    /** The session the browser still has from before, asked for once. */
    async restore() {
      if (asked) return;
      asked = true;
      session.value = await api.session.get().catch(() => null);
    },
    /** The server has ended it. */
    ended,
    async logIn(username: string, password: string) {
      asked = true;
      session.value = await api.session.create(username, password);
    },
    begun(started: Session) {
      asked = true;
      session.value = started;
    },
    async logOut() {
      await api.session.remove().catch(() => {});
      session.value = null;
    },
  };
});
