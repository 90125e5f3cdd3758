// The usual choices of a schedule as cron expressions and back. What is none of them is shown as it is written.

export const EVERY = ['never', 'day', 'week', 'other'] as const;
export type Every = (typeof EVERY)[number];

export interface Choice {
  every: Every;
  /** `06:00`. */
  time: string;
  /** 0 is Sunday. */
  weekday: number;
  /** What an expert writes. */
  cron: string;
}

const START: Choice = { every: 'never', time: '06:00', weekday: 1, cron: '' };
const two = (text: string | undefined): string => (text ?? '0').padStart(2, '0');

export function choiceOf(cron: string | null): Choice {
  if (cron === null) return { ...START };
  const found = /^(\d{1,2}) (\d{1,2}) \* \* (\*|[0-6])$/.exec(cron);
  if (!found) return { ...START, every: 'other', cron };
  const [, minute, hour, day] = found;
  return { every: day === '*' ? 'day' : 'week', time: `${two(hour)}:${two(minute)}`, weekday: day === '*' ? START.weekday : Number(day), cron };
}

export function cronOf({ every, time, weekday, cron }: Choice): string | null {
  const [hour = '', minute = ''] = time.split(':');
  if (every === 'never') return null;
  if (every === 'other') return cron.trim();
  return `${Number(minute)} ${Number(hour)} * * ${every === 'day' ? '*' : weekday}`;
}
