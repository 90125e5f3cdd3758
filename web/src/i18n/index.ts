import { createI18n } from 'vue-i18n';
import type { Text } from '../api/types';
import en from './en';
import zh from './zh-CN';

export const LANGUAGES = ['zh-CN', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
const KEY = 'scilit.language';

const isLanguage = (value: string | null): value is Language => LANGUAGES.some((language) => language === value);

function remembered(): Language {
  const value = localStorage.getItem(KEY);
  return isLanguage(value) ? value : 'zh-CN';
}

export const i18n = createI18n({
  legacy: false,
  locale: remembered(),
  messages: { 'zh-CN': zh, en },
  // No fallback: an untranslated text is an error that the tests see, not a word of another language on the page.
  fallbackLocale: false,
  missing: (locale, key) => {
    // eslint-disable-next-line no-console
    console.error(`no text for ${key} in ${locale}`);
    return key;
  },
});

export const language = (): Language => i18n.global.locale.value;

export function speak(next: Language): void {
  i18n.global.locale.value = next;
  document.documentElement.lang = next;
  localStorage.setItem(KEY, next);
}

/** A text of the server's in the page's language, Chinese where it has no other. */
export const say = (text: Text): string => (language() === 'en' && text.en ? text.en : text['zh-CN']);
