import { computed } from 'vue';
import { createI18n } from 'vue-i18n';
import en from './i18n/en';
import zh from './i18n/zh-CN';

export type Language = 'zh-CN' | 'en';
const KEY = 'scilit.language';

/** The desk has texts of its own: the public pages do not carry them. */
export const i18n = createI18n({
  legacy: false,
  locale: (localStorage.getItem(KEY) === 'en' ? 'en' : 'zh-CN') as Language,
  messages: { 'zh-CN': zh, en },
  // No fallback: an untranslated text is an error that the tests see.
  fallbackLocale: false,
  missing: (locale, key) => {
    // eslint-disable-next-line no-console
    console.error(`no text for ${key} in ${locale}`);
    return key;
  },
});

export const spoken = computed<Language>(() => i18n.global.locale.value as Language);

export function speak(next: Language): void {
  i18n.global.locale.value = next;
  document.documentElement.lang = next;
  localStorage.setItem(KEY, next);
}

/** A text of the server's in the page's language, Chinese where it has no other. */
export const say = (text: Readonly<Record<string, string | null | undefined>> | null | undefined): string =>
  text?.[spoken.value] ?? text?.['zh-CN'] ?? '';
