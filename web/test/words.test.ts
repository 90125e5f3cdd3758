import { afterEach, describe, expect, it } from 'vitest';
import type { ComposerTranslation } from 'vue-i18n';
import { i18n } from '../src/i18n';
import { chartSpec, districtFinding, groupFinding, headersOf, headline } from '../src/results/words';
import { tableOf, wholeOf } from '../src/results/reading';
import { results, row } from './fixtures/rows';

const t = i18n.global.t as unknown as ComposerTranslation;
const inEnglish = () => {
  i18n.global.locale.value = 'en';
};

afterEach(() => {
  i18n.global.locale.value = 'zh-CN';
});

describe('the first sentence', () => {
  it('gives share, interval and the verdict on each target', () => {
    expect(headline(results(), t)).toBe(
      '哈尔滨市公民具备科学素质的比例为14.52%（95%置信区间12.14%–16.90%）；与15%、15.5%的目标相比，均为无法判定。',
    );
  });

  it('tells different verdicts apart', () => {
    const all = results();
    const verdicts = wholeOf(all)?.verdicts ?? [];
    if (verdicts[0]) verdicts[0].verdict = 'met';
    expect(headline(all, t)).toContain('与15%的目标相比：达到；与15.5%的目标相比：无法判定。');
    inEnglish();
    expect(headline(all, t)).toBe(
      'In Harbin, 14.52% of residents are scientifically literate (95% confidence interval 12.14%–16.90%); against the target of 15%: met; against the target of 15.5%: undetermined.',
    );
  });

  it('says so when there is no target, no estimate, or no row for the whole', () => {
    const all = results();
    all.targets = [];
    expect(headline(all, t)).toContain('；没有设定目标。');
    const whole = wholeOf(all);
    if (whole) Object.assign(whole, { estimate: null, ci: null, not_estimable: { 'zh-CN': '没有答卷', en: 'no responses' } });
    expect(headline(all, t)).toBe('哈尔滨市公民具备科学素质的比例没有估计值：没有答卷。');
    all.tables = [];
    expect(headline(all, t)).toBe('这次计算没有给出全市的估计值。');
  });
});

describe('findings', () => {
  it('count only what is there', () => {
    const all = results();
    const districts = tableOf(all, 'district');
    expect(districts && districtFinding(districts, wholeOf(all), t)).toBe('18个区、县（市）中，6个低于全市，12个与全市分不出高低');
  });

  it('say when no district differs', () => {
    const table = { id: 'district', by: ['district'], label: { 'zh-CN': '区' }, rows: [row('1', 0.15, [0.1, 0.2]), row('2', 0.14, [0.1, 0.2])] };
    expect(districtFinding(table, row('all', 0.145, [0.1, 0.2]), t)).toBe('2个区、县（市）与全市都分不出高低');
  });

  it('give the gap of groups in percentage points and refuse to compare one group', () => {
    const rows = [row('1', 0.157, [0.12, 0.19]), row('2', 0.125, [0.09, 0.157])];
    expect(groupFinding(rows, t)).toBe('区1最高（15.70%），区2最低（12.50%），相差3.20个百分点；两者的置信区间有重叠');
    expect(groupFinding(rows.slice(1), t)).toBe('有估计值的群体不足两个，不作比较');
  });
});

describe('a chart', () => {
  it('ranks and marks districts, and leaves groups in their own order', () => {
    const all = results();
    const rows = [row('1', 0.02, [0.01, 0.05]), row('2', 0.15, [0.1, 0.2]), row('3', null, null)];
    const marked = chartSpec(all, rows, rows, true, t).rows;
    expect(marked.map((one) => [one.name, one.value, one.remark, one.banded])).toEqual([
      ['区2', '15.00%', '', true],
      ['区1', '2.00%', '低于全市', false],
      ['区3', '–', '', false],
    ]);
    expect(chartSpec(all, rows, rows, false, t).rows.map((one) => one.name)).toEqual(['区1', '区2', '区3']);
  });

  it('carries the whole and every target of the place as lines', () => {
    const all = results();
    expect(chartSpec(all, [], [], false, t).lines.map((line) => line.label)).toEqual(['全市 14.52%', '规划目标章节：15%', '前言：15.5%']);
  });
});

describe('headers', () => {
  it('of a crossing are the names of its variables', () => {
    const all = results();
    const crossing = tableOf(all, 'district_by_residence');
    expect(crossing && headersOf(all, crossing)).toEqual(['区、县（市）', '城乡']);
  });
});
