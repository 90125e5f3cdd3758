import { computed, ref } from 'vue';
import { asProblem, expired, get, keepCsrf, post, type Problem } from './api';
import type { Me, Role, Survey } from './types';

/** Who sits at the desk; `null` while nobody does. */
export const me = ref<Me | null>(null);
export const roles = computed<Role[]>(() => me.value?.roles.map((one) => one.role) ?? []);
export const has = (...wanted: Role[]): boolean => wanted.some((role) => roles.value.includes(role));

function sit(next: Me): void {
  keepCsrf(next.csrf_token);
  expired.value = false;
  localStorage.setItem(SIGNED_KEY, '1');
  me.value = next;
}

const SIGNED_KEY = 'scilit.desk.signed';

/**
 * The session that the browser's cookie still holds, if any. No script sees that cookie; a mark of no secret says whether it is worth
 * asking.
 */
export async function resume(): Promise<Problem | null> {
  if (localStorage.getItem(SIGNED_KEY) === null) return null;
  try {
    const found = await get<Me>('/me');
    if (found.kind === 'person') sit(found);
    return null;
  } catch (error) {
    const problem = asProblem(error);
    if (problem.kind !== 'unauthenticated') return problem;
    localStorage.removeItem(SIGNED_KEY);
    return null;
  } finally {
    expired.value = false;
  }
}

export async function signIn(login: string, password: string): Promise<void> {
  sit(await post<Me>('/login', { login, password }));
}

/** Nothing of the person before stays on a shared computer. */
function leave(): void {
  keepCsrf(null);
  me.value = null;
  surveys.value = [];
  localStorage.removeItem(SIGNED_KEY);
  sessionStorage.removeItem(SURVEY_KEY);
}

export async function signOut(): Promise<void> {
  await post('/logout').catch(() => undefined);
  leave();
}

export async function changePassword(current: string, next: string): Promise<void> {
  await post('/me/password', { current, new: next });
  leave();
}

const SURVEY_KEY = 'scilit.desk.survey';
export const surveys = ref<Survey[]>([]);
const chosen = ref(sessionStorage.getItem(SURVEY_KEY) ?? '');

/** The survey that the pages speak of: the one that was picked, else the latest that is open, else the latest. */
export const survey = computed<Survey | null>({
  get: () => {
    const picked = surveys.value.find((one) => one.id === chosen.value);
    const latest = surveys.value.toSorted((a, b) => b.fieldwork_to.localeCompare(a.fieldwork_to));
    return picked ?? latest.find((one) => one.state === 'open') ?? latest[0] ?? null;
  },
  set: (next) => {
    chosen.value = next?.id ?? '';
    sessionStorage.setItem(SURVEY_KEY, chosen.value);
  },
});

export async function readSurveys(): Promise<void> {
  surveys.value = has('supervisor', 'analyst', 'auditor', 'admin') ? (await get<{ surveys: Survey[] }>('/surveys')).surveys : [];
}

