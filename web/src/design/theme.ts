import { ref } from 'vue';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'scilit.theme';

const dark = matchMedia('(prefers-color-scheme: dark)');

function remembered(): Theme {
  const value = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === value) ?? 'system';
}

export const theme = ref<Theme>(remembered());

/** The style sheet knows only light and dark; what the system wants is resolved here. */
export function applyTheme(next: Theme = theme.value): void {
  theme.value = next;
  localStorage.setItem(KEY, next);
  const isDark = next === 'dark' || (next === 'system' && dark.matches);
  document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
}

dark.addEventListener('change', () => applyTheme());
