import { defineStore } from 'pinia';
import { usePreferences } from '../theme/preferences.ts';
import { createApi } from './client.ts';
import { createResources } from './resources.ts';

/** The server's resources, with the language the person reads and a way back to log-in when the session ends. */
export const useApi = defineStore('api', () => {
  const preferences = usePreferences();
  let loggedOut = () => {};
  const client = createApi({
    fetch: (...request) => fetch(...request),
    language: () => preferences.language,
    onLoggedOut: () => loggedOut(),
  });
  return {
    ...createResources(client),
    onLoggedOut(listener: () => void) {
      loggedOut = listener;
    },
  };
});
