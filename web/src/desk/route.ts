import { ref } from 'vue';
import type { Role } from './types';

/** The pages of the desk, in the order of the navigation, with the roles whose routes they need. */
export const PAGES = {
  home: ['surveyor', 'supervisor', 'analyst', 'auditor', 'admin'],
  progress: ['supervisor', 'analyst', 'auditor', 'admin'],
  review: ['supervisor'],
  cases: ['supervisor', 'admin'],
  people: ['supervisor', 'admin'],
  setup: ['analyst', 'admin'],
  runs: ['supervisor', 'analyst', 'auditor', 'admin'],
  audit: ['auditor', 'admin'],
  account: ['surveyor', 'supervisor', 'analyst', 'auditor', 'admin'],
} as const satisfies Record<string, readonly Role[]>;
export type Page = keyof typeof PAGES;

export interface Route {
  page: Page;
  /** What the page shows in particular. */
  id: string;
}

function read(): Route {
  const [name = '', id = ''] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return { page: name in PAGES ? (name as Page) : 'home', id };
}

export const route = ref<Route>(read());
addEventListener('hashchange', () => {
  route.value = read();
});

export const link = (page: Page, id = ''): string => `#/${page === 'home' ? '' : page}${id ? `/${encodeURIComponent(id)}` : ''}`;
export const go = (page: Page, id = ''): void => {
  location.hash = link(page, id);
};
