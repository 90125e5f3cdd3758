import { expect, it } from 'vitest';
import { tableCsv } from '../src/results/csv';
import { results, row } from './fixtures/rows';

const zh = (text: { 'zh-CN': string }) => text['zh-CN'];

it('writes codes, labels, full precision and empty fields for absent numbers', () => {
  const targets = results().targets.slice(0, 1);
  const first = { ...row('230102', 0.145200000001, [0.1, 0.2], 69), verdicts: [{ target: 'plan-goal', verdict: 'met' as const, probability_met: null }] };
  const text = tableCsv(['district'], [first, row('230103', null, null, 0)], targets, zh);
  expect(text).toBe(
    '\ufeffdistrict,district_label,n,population,estimate,se,ci_low,ci_high,df,deff,effective_n,verdict_plan-goal\r\n' +
      '230102,区230102,69,,0.145200000001,,0.1,0.2,,,,met\r\n' +
      '230103,区230103,0,,,,,,,,,\r\n',
  );
});

it('quotes what would break a line', () => {
  const odd = { ...row('1', null, null), labels: [{ 'zh-CN': '甲,"乙"\n丙' }] };
  expect(tableCsv(['district'], [odd], [], zh)).toContain('1,"甲,""乙""\n丙",100');
});
