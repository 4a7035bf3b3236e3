import type { Alarm, Language } from '@smart-fire/core';
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import { duration, timeFormat } from '../format/time.ts';
import { useSession } from '../session.ts';

/** Words, times and durations in the person's language and the centre's time zone. */
export function useWords() {
  const { t, te, locale } = useI18n();
  const session = useSession();
  const language = computed(() => locale.value as Language);
  const time = computed(() => timeFormat(language.value, session.timeZone));
  return {
    t,
    te,
    language,
    time,
    passed: (ms: number) => duration(ms, language.value),
    /** An alarm's class in words; an early warning of level fire says so. */
    className: (alarm: Pick<Alarm, 'class' | 'level'>) =>
      t(alarm.class === 'early-warning' && alarm.level === 'fire' ? 'alarm.fireGrade' : `class.${alarm.class}`),
    /** Of something named in both languages. */
    said: (words: { zh: string; en: string }) => words[language.value],
  };
}
