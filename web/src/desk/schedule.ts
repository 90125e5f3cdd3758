// The usual choices of a schedule as cron expressions and back. What is none of them is shown as it is written.

export const EVERY = ['never', 'day', 'week', 'other'] as const;
export type Every = (typeof EVERY)[number];

export interface Choice {
  every: Every;
  hour: number;
  minute: number;
  /** 0 is Sunday. */
  weekday: number;
  /** What an expert writes. */
  cron: string;
}

const START: Choice = { every: 'never', hour: 6, minute: 0, weekday: 1, cron: '' };

export function choiceOf(cron: string | null): Choice {
  if (cron === null) return { ...START };
  const found = /^(\d|[1-5]\d) (\d|1\d|2[0-3]) \* \* (\*|[0-6])$/.exec(cron);
  if (!found) return { ...START, every: 'other', cron };
  const [, minute, hour, day] = found;
  return { every: day === '*' ? 'day' : 'week', hour: Number(hour), minute: Number(minute), weekday: day === '*' ? START.weekday : Number(day), cron };
}

export function cronOf({ every, hour, minute, weekday, cron }: Choice): string | null {
  if (every === 'never') return null;
  if (every === 'other') return cron.trim();
  return `${minute} ${hour} * * ${every === 'day' ? '*' : weekday}`;
}
