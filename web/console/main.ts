import { createPinia } from 'pinia';
import { createApp, watch } from 'vue';
import App from './App.vue';
import { createWords } from './i18n/index.ts';
import { createConsoleRouter } from './router.ts';
import './theme/tokens.css';
import './theme/base.css';
import './theme/element.css';
import { usePreferences } from './theme/preferences.ts';

const app = createApp(App);
app.use(createPinia());
const preferences = usePreferences();
const words = createWords(preferences.language);
watch(
  () => preferences.language,
  (language) => {
    words.global.locale.value = language;
  },
);
app.use(words);
app.use(createConsoleRouter());
app.mount('#app');
