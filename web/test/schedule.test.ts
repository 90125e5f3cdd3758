import { describe, expect, it } from 'vitest';
import { choiceOf, cronOf } from '../src/desk/schedule';

describe('a schedule in plain words', () => {
  it('is the same expression there and back', () => {
    for (const cron of [null, '0 6 * * *', '30 18 * * 5', '5 0 * * 0', '0 6 * * 1-5', '0 6 1 * *', '*/5 * * * *']) expect(cronOf(choiceOf(cron))).toBe(cron);
  });

  it('calls the usual ones by their names and leaves the others to experts', () => {
    expect(choiceOf('0 6 * * *')).toMatchObject({ every: 'day', time: '06:00' });
    expect(choiceOf('30 18 * * 5')).toMatchObject({ every: 'week', time: '18:30', weekday: 5 });
    expect(choiceOf('0 6 * * 1-5')).toMatchObject({ every: 'other', cron: '0 6 * * 1-5' });
    expect(choiceOf(null).every).toBe('never');
  });

  it('writes hours and minutes as numbers', () => {
    expect(cronOf({ every: 'day', time: '08:05', weekday: 1, cron: '' })).toBe('5 8 * * *');
    expect(cronOf({ every: 'other', time: '', weekday: 1, cron: ' 0 6 * * 1-5 ' })).toBe('0 6 * * 1-5');
  });
});
