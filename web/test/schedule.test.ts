import { describe, expect, it } from 'vitest';
import { choiceOf, cronOf } from '../src/desk/schedule';

describe('a schedule in plain words', () => {
  it('is the same expression there and back', () => {
    for (const cron of [null, '0 6 * * *', '30 18 * * 5', '5 0 * * 0', '0 6 * * 1-5', '0 6 1 * *', '*/5 * * * *', '06 6 * * *']) expect(cronOf(choiceOf(cron))).toBe(cron);
  });

  it('calls the usual ones by their names and leaves the others to experts', () => {
    expect(choiceOf('0 6 * * *')).toMatchObject({ every: 'day', hour: 6, minute: 0 });
    expect(choiceOf('30 18 * * 5')).toMatchObject({ every: 'week', hour: 18, minute: 30, weekday: 5 });
    expect(choiceOf('0 6 * * 1-5')).toMatchObject({ every: 'other', cron: '0 6 * * 1-5' });
    expect(choiceOf(null).every).toBe('never');
  });

  it('writes what was chosen, and what an expert wrote', () => {
    expect(cronOf({ every: 'day', hour: 8, minute: 5, weekday: 1, cron: '' })).toBe('5 8 * * *');
    expect(cronOf({ every: 'other', hour: 6, minute: 0, weekday: 1, cron: ' 0 6 * * 1-5 ' })).toBe('0 6 * * 1-5');
  });
});
