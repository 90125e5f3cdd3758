import { describe, expect, it } from 'vitest';
import { courseOf, passedShare } from '../src/desk/course';
import { since, time } from '../src/desk/format';
import { i18n, type Language } from '../src/desk/look';
import type { DistrictRow, Progress } from '../src/desk/types';
import { answerWords, sideWords } from '../src/desk/words';
import type { Item } from '../src/rules/form';

const HOUR = 3_600_000;
const speak = (next: Language): void => {
  i18n.global.locale.value = next;
};

function district(code: string | null, completion: number | null): DistrictRow {
  const rates = { e: null, rr1: null, rr3: null, coop1: null, ref1: null, con1: null };
  const counts = { issued: 10, planned: 10, assigned: 0, tried: 0, contacted: 0, completed: 0, waiting: 0, returned: 0, approved: 0 };
  return { district: code, label: { 'zh-CN': code ?? '全市' }, ...counts, rates, completion };
}

describe('the course of the field work', () => {
  it('is the share of the days in China that have passed', () => {
    const at = (text: string) => passedShare('2025-05-01', '2025-05-10', Date.parse(text));
    expect(at('2025-04-30T12:00:00+08:00')).toBe(0);
    expect(at('2025-05-06T00:00:00+08:00')).toBe(0.5);
    // The last day counts to its end.
    expect(at('2025-05-10T12:00:00+08:00')).toBe(0.95);
    expect(at('2025-05-11T00:00:00+08:00')).toBe(1);
  });

  it('holds districts against the whole, the farthest behind first', () => {
    const districts = [district('a', 0.6), district('b', 0.75), district('c', 0.55), district('d', null)];
    const progress = { as_of_ms: 0, fieldwork_from: '2025-05-01', fieldwork_to: '2025-05-10', state: 'open', whole: district(null, 0.7), districts, surveyors: [], devices: [] } as Progress;
    expect(courseOf(progress).behind.map((row) => row.district)).toEqual(['c', 'a']);
    expect(courseOf({ ...progress, whole: district(null, null) }).behind).toEqual([]);
  });
});

describe('answers in words', () => {
  const options = [{ code: 'a', label: { 'zh-CN': '甲', en: 'A' } }, { code: 'b', label: { 'zh-CN': '乙', en: 'B' } }];
  const item = (type: string, more = {}): Item => ({ id: 'q', type, text: { 'zh-CN': '题' }, required: true, options, ...more }) as Item;

  it('are the labels of the options, rows and all, or why there is none', () => {
    speak('zh-CN');
    expect(answerWords(item('single_choice'), { v: 'a' })).toBe('甲');
    expect(answerWords(item('multiple_choice'), { v: ['a', 'b'] })).toBe('甲、乙');
    expect(answerWords(item('matrix', { rows: [{ code: 'r', label: { 'zh-CN': '行' } }, { code: 's', label: { 'zh-CN': '列' } }] }), { v: { r: 'b' } })).toBe('行：乙；列：–');
    expect(answerWords(item('number'), { v: 63 })).toBe('63');
    expect(answerWords(item('single_choice'), { m: 'dont_know' })).toBe('不知道');
    speak('en');
    expect(answerWords(item('single_choice'), { v: 'a' })).toBe('A');
    speak('zh-CN');
  });

  it('of a difference say what was not there, too', () => {
    expect(sideWords(item('single_choice'), null)).toBe('（没有）');
    expect(sideWords(item('single_choice'), { v: 'b' })).toBe('乙');
    expect(sideWords(undefined, 'a note')).toBe('a note');
  });

  it('show a code that no option has as it is', () => {
    expect(answerWords(item('single_choice'), { v: 'zz' })).toBe('zz');
    expect(answerWords(undefined, { v: { x: 1 } })).toBe('{"x":1}');
  });
});

describe('times', () => {
  it('are those of China, and how long ago', () => {
    speak('zh-CN');
    expect(time(Date.parse('2025-03-08T16:05:00Z'))).toBe('2025年3月9日 00:05');
    expect(time(null)).toBe('–');
    expect([since(0, 60_000), since(0, 5 * 60_000), since(0, 30 * HOUR), since(0, 77 * HOUR)]).toEqual(['刚才', '5 分钟前', '30 小时前', '3 天前']);
  });
});
