import { describe, expect, it } from 'vitest';
import {
  ABSENT, count, decimal, interval, points, pointsInterval, probability, setShare, share, shortDigest, signedPoints,
} from '../src/results/format';

describe('numbers as the releases write them', () => {
  it('gives a share two decimals and a percent sign', () => {
    expect(share(0.1452)).toBe('14.52%');
    expect(share(0)).toBe('0.00%');
    expect(share(1)).toBe('100.00%');
    expect(share(0.141449)).toBe('14.14%');
  });

  it('writes a dash where there is no number, never a zero', () => {
    for (const absent of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect([share(absent), points(absent), count(absent), decimal(absent), setShare(absent)]).toEqual(['–', '–', '–', '–', '–']);
    }
    expect(interval(null)).toBe('–');
    expect(interval([Number.NaN, 0.2])).toBe('–');
  });

  it('writes a difference without the percent sign, with a true minus and no minus zero', () => {
    expect(points(0.032)).toBe('3.20');
    expect(points(-0.032)).toBe('−3.20');
    expect(points(-0.00001)).toBe('0.00');
  });

  it('writes an interval with both percent signs', () => {
    expect(interval([0.1214, 0.16899])).toBe('12.14%–16.90%');
  });

  it('writes a target as it was set', () => {
    expect([0.15, 0.155, 0.125, 0.1, 0.95].map(setShare)).toEqual(['15%', '15.5%', '12.5%', '10%', '95%']);
  });

  it('separates thousands with a thin space that does not break', () => {
    expect(count(999)).toBe('999');
    expect(count(1203)).toBe('1\u202f203');
    expect(count(-1234567)).toBe('−1\u202f234\u202f567');
    expect(decimal(446613.04, 1)).toBe('446\u202f613.0');
    expect(decimal(1.4)).toBe('1.40');
  });

  it('shortens a digest to twelve characters', () => {
    expect(shortDigest('0123456789abcdef')).toBe('0123456789ab');
  });
});

describe('differences', () => {
  it('carry their sign, and none where nothing is left of them', () => {
    expect(signedPoints(0.0123)).toBe('+1.23');
    expect(signedPoints(-0.0123)).toBe('−1.23');
    expect(signedPoints(0.00001)).toBe('0.00');
    expect(signedPoints(null)).toBe(ABSENT);
    expect(pointsInterval([-0.01, 0.02])).toBe('−1.00 ~ +2.00');
    expect(pointsInterval(null)).toBe(ABSENT);
  });

  it('have a probability with three decimals', () => {
    expect(probability(0.0499)).toBe('0.050');
    expect(probability(0.0002)).toBe('<0.001');
    expect(probability(null)).toBe(ABSENT);
  });
});
