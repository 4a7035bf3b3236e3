import type { Language } from '@smart-fire/core';
import { createI18n } from 'vue-i18n';
import en from './en.json';
import zh from './zh.json';

/** The console's own words. Sentences about errors, alarms, rules and health come from the server in both languages. */
export function createWords(language: Language) {
  return createI18n({ legacy: false, locale: language, fallbackLocale: 'zh', messages: { zh, en } });
}
