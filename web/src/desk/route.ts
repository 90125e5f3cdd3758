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
  trail: ['analyst', 'auditor'],
  account: ['surveyor', 'supervisor', 'analyst', 'auditor', 'admin'],
} as const satisfies Record<string, readonly Role[]>;
export type Page = keyof typeof PAGES;

export interface Route {
  page: Page;
  /** What the page shows in particular. */
  id: string;
  /** And within that. */
  rest: string[];
}

/** Pages to which another one leads: the navigation does not name them. */
export const LED_TO: ReadonlySet<Page> = new Set(['account', 'trail']);

function read(): Route {
  const [name = '', id = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return { page: name in PAGES ? (name as Page) : 'home', id, rest };
}

export const route = ref<Route>(read());
addEventListener('hashchange', () => {
  route.value = read();
});

export const link = (page: Page, id = '', ...rest: string[]): string =>
  `#/${[page === 'home' ? '' : page, ...(id ? [id, ...rest] : [])].map(encodeURIComponent).join('/')}`;
export const go = (page: Page, id = ''): void => {
  location.hash = link(page, id);
};
