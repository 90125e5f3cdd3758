import { ABSENT, count, share } from '../results/format';
import { i18n, spoken } from './look';

// How the desk writes times: by the calendar of China, 24 hours, and how long ago where that is the question.

export { ABSENT, count, share };

const ZONE = 'Asia/Shanghai';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const known = (ms: number | null | undefined): ms is number => typeof ms === 'number';

export function date(ms: number | null | undefined): string {
  if (!known(ms)) return ABSENT;
  return new Intl.DateTimeFormat(spoken.value, { timeZone: ZONE, year: 'numeric', month: 'long', day: 'numeric' }).format(ms);
}

/** A day as files write it. */
export function day(iso: string): string {
  return date(Date.parse(`${iso}T12:00:00+08:00`));
}

export function time(ms: number | null | undefined): string {
  if (!known(ms)) return ABSENT;
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit' }).format(ms);
  return `${date(ms)} ${clock}`;
}

export function since(ms: number | null | undefined, now = Date.now()): string {
  if (!known(ms)) return ABSENT;
  const { t } = i18n.global;
  const passed = Math.max(0, now - ms);
  if (passed < 2 * MINUTE) return t('ago.now');
  if (passed < HOUR) return t('ago.minutes', { n: Math.floor(passed / MINUTE) });
  if (passed < 2 * DAY) return t('ago.hours', { n: Math.floor(passed / HOUR) });
  return t('ago.days', { n: Math.floor(passed / DAY) });
}

export const minutes = (ms: number | null | undefined): string => (known(ms) ? String(Math.max(1, Math.round(ms / MINUTE))) : ABSENT);

/** Enough of an id to compare by eye. */
export const short = (id: string): string => id.slice(-8);
