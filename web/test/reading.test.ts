import { describe, expect, it } from 'vitest';
import { axisEnd, axisStep, displayTitle, extremes, judgedTargets, oneWayTables, ownTargets, ranked, standing, standings, wholeOf } from '../src/results/reading';
import { results, row } from './fixtures/rows';

const whole = row('all', 0.15, [0.13, 0.17]);

describe('where a domain stands to the whole', () => {
  it('is above or below only when its interval leaves the whole outside', () => {
    expect(standing(row('1', 0.3, [0.2, 0.4]), whole)).toBe('above');
    expect(standing(row('2', 0.05, [0.01, 0.14]), whole)).toBe('below');
    expect(standing(row('3', 0.2, [0.15, 0.25]), whole)).toBe('unclear');
  });

  it('is unknown without an interval, also where the share is exactly 0', () => {
    expect(standing(row('4', null, null), whole)).toBe('unknown');
    expect(standing(row('5', 0, null), whole)).toBe('unknown');
  });

  it('counts every row once', () => {
    const rows = [row('1', 0.3, [0.2, 0.4]), row('2', 0.05, [0.01, 0.1]), row('3', 0.15, [0.1, 0.2]), row('4', null, null)];
    expect(standings(rows, whole)).toEqual({ above: 1, below: 1, unclear: 1, unknown: 1 });
  });
});

describe('the order of a chart', () => {
  it('is highest first, equal ones by code, rows without a number last, and leaves the table alone', () => {
    const rows = [row('3', null, null), row('2', 0.1, [0, 0.2]), row('1', 0.1, [0, 0.2]), row('4', 0.2, [0.1, 0.3])];
    expect(ranked(rows).map((one) => one.domain['district'])).toEqual(['4', '1', '2', '3']);
    expect(rows[0]?.domain['district']).toBe('3');
  });
});

describe('the widest gap', () => {
  it('says who is first and last and whether their intervals overlap', () => {
    const gap = extremes([row('1', 0.1, [0.05, 0.15]), row('2', 0.3, [0.2, 0.4]), row('3', null, null)]);
    expect(gap?.highest.domain['district']).toBe('2');
    expect(gap?.lowest.domain['district']).toBe('1');
    expect(gap?.difference).toBeCloseTo(0.2, 12);
    expect(gap?.overlap).toBe(false);
    expect(extremes([row('1', 0.1, [0.05, 0.2]), row('2', 0.3, [0.2, 0.4])])?.overlap).toBe(true);
  });

  it('is nothing when fewer than two rows have a number', () => {
    expect(extremes([row('1', 0.1, [0, 0.2]), row('2', null, null)])).toBeNull();
    expect(extremes([])).toBeNull();
  });
});

describe('the axis', () => {
  it('ends at the next whole mark above everything drawn and never beyond 100%', () => {
    expect(axisEnd([row('1', 0.1, [0.05, 0.21])], [0.15])).toBe(0.25);
    expect(axisEnd([row('1', 0.1, [0.05, 0.3])], [0.15])).toBe(0.3);
    expect(axisEnd([row('1', 0.1, [0.05, 0.34])], [0.15])).toBe(0.4);
    expect(axisEnd([row('1', 0.9, [0.8, 0.99])], [])).toBe(1);
    expect(axisEnd([row('1', 1, null)], [])).toBe(1);
    expect(axisEnd([], [])).toBe(0.05);
  });

  it('ends on a mark of its own step', () => {
    for (const high of [0.04, 0.11, 0.25, 0.26, 0.5, 0.51, 0.77, 1]) {
      const end = axisEnd([row('1', high, [0, high])], []);
      const marks = end / axisStep(end);
      expect(marks).toBeCloseTo(Math.round(marks), 9);
      expect(end).toBeGreaterThanOrEqual(high);
    }
  });
});

describe('results', () => {
  it('have a whole, groups of one variable, and targets of the place', () => {
    const all = results();
    expect(wholeOf(all)?.estimate).toBe(0.1452);
    expect(oneWayTables(all).map((table) => table.id)).toEqual(['sex', 'age_group', 'education', 'residence', 'key_group']);
    expect(ownTargets(all).map((target) => target.id)).toEqual(['plan-goal', 'plan-preamble']);
    all.survey.region = '230200';
    expect(ownTargets(all)).toEqual([]);
  });

  it('show a target column only where the target judges a row', () => {
    const all = results();
    expect(judgedTargets(all, [row('1', 0.1, [0, 0.2])])).toEqual([]);
    expect(judgedTargets(all, all.tables[0]?.rows ?? [])).toHaveLength(2);
  });

  it('do not say twice that they are an example', () => {
    expect(displayTitle(results().survey)).toBe('哈尔滨市公民科学素质调查');
    expect(displayTitle({ ...results().survey, example: false })).toBe('哈尔滨市公民科学素质调查（示例数据）');
  });
});
