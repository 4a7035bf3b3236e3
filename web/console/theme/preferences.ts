import type { Language } from '@smart-fire/core';
import { defineStore } from 'pinia';
import { ref, watchEffect } from 'vue';

export type Theme = 'light' | 'dark';

/** Language and theme of this browser. Chinese until somebody chooses otherwise; light or dark as the machine asks. */
export const usePreferences = defineStore('preferences', () => {
  const language = ref<Language>(localStorage.getItem('language') === 'en' ? 'en' : 'zh');
  const stored = localStorage.getItem('theme');
  const theme = ref<Theme>(
    stored === 'dark' || stored === 'light'
      ? stored
      : matchMedia('(prefers-color-scheme: dark)').matches
        ? 'dark'
        : 'light',
  );

  watchEffect(() => {
    localStorage.setItem('language', language.value);
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  });
  watchEffect(() => {
    document.documentElement.dataset.theme = theme.value;
  });

  return {
    language,
    theme,
    switchLanguage() {
      language.value = language.value === 'zh' ? 'en' : 'zh';
    },
    switchTheme() {
      theme.value = theme.value === 'light' ? 'dark' : 'light';
      localStorage.setItem('theme', theme.value);
    },
  };
});
