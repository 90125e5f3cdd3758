import { computed, ref } from 'vue';
import { createI18n } from 'vue-i18n';
import { textIn, type Texts } from '../rules/form';
import en from './i18n/en';
import zh from './i18n/zh-CN';

/** Language and text size: the two settings that are no secret and outlive the program. */

export const LANGUAGES = [
  { value: 'zh-CN', text: '中文' },
  { value: 'en', text: 'EN' },
] as const;
export type Language = (typeof LANGUAGES)[number]['value'];

const LANGUAGE_KEY = 'scilit.language';
const SIZE_KEY = 'scilit.tablet.size';

export const i18n = createI18n({
  legacy: false,
  locale: (localStorage.getItem(LANGUAGE_KEY) === 'en' ? 'en' : 'zh-CN') as Language,
  messages: { 'zh-CN': zh, en },
  // No fallback: an untranslated text is an error that the tests see.
  fallbackLocale: false,
  missing: (locale, key) => {
    // eslint-disable-next-line no-console
    console.error(`no text for ${key} in ${locale}`);
    return key;
  },
});

export const spoken = computed<Language>(() => i18n.global.locale.value);

export function speak(next: Language): void {
  i18n.global.locale.value = next;
  document.documentElement.lang = next;
  localStorage.setItem(LANGUAGE_KEY, next);
}

/** Own names that browsers do not have, by script or language: Chromium has none for Mongolian. */
const OWN_NAMES: Readonly<Record<string, string>> = { Mong: 'ᠮᠣᠩᠭᠣᠯ', mn: 'монгол' };

/** A language by its own name, in its own script; where the browser does not know it, in the language of the screens. */
export function languageName(tag: string): string {
  const parts = tag.split('-');
  const [base = tag] = parts;
  const own = [...parts].reverse().map((part) => OWN_NAMES[part]).find(Boolean);
  return own ?? new Intl.DisplayNames([tag, spoken.value], { type: 'language' }).of(base) ?? tag;
}

/** A text of the server's in the language of the screens. */
export const say = (texts: Texts | undefined): string => (texts ? textIn(texts, spoken.value) : '');

/** A message with both languages. */
export const told = (message: { zh: string; en: string }): string => (spoken.value === 'en' ? message.en : message.zh);

/** From `large` on everything that is touched grows with the text: 大字版. */
export const sizes = { min: 18, max: 30, usual: 20, large: 24 };
export const size = ref(Number(localStorage.getItem(SIZE_KEY) ?? sizes.usual) || sizes.usual);

export function setSize(next: number): void {
  size.value = Math.min(sizes.max, Math.max(sizes.min, next));
  document.documentElement.style.setProperty('--tablet-size', `${size.value}px`);
  document.documentElement.classList.toggle('large', size.value >= sizes.large);
  localStorage.setItem(SIZE_KEY, String(size.value));
}

const two = (n: number): string => String(n).padStart(2, '0');

/** 2025年3月8日 14:05, or 2025-03-08 14:05. */
export function moment(ms: number): string {
  const at = new Date(ms);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return spoken.value === 'en'
    ? `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
    : `${at.getFullYear()}年${at.getMonth() + 1}月${at.getDate()}日 ${time}`;
}
