import { describe, expect, it } from 'vitest';
import { columns } from '../src/charts/option';
import { broken, escapeXml, withColours } from '../src/charts/picture';
import { heightPx, LABEL_PX, rowPx, type IntervalSpec } from '../src/charts/spec';

const measure = (text: string): number => text.length * 13;
const spec = (names: string[], lines = 1): IntervalSpec => ({
  rows: names.map((name) => ({ name, estimate: 0.1, low: 0, high: 0.2, value: '10.00%', remark: '低于全市', hover: '', banded: false })),
  lines: Array.from({ length: lines }, (_, place) => ({ value: place / 10, label: '', kind: 'target' as const })),
  end: 0.3,
  step: 0.1,
  names,
  axis: '',
});

describe('the layout of a chart', () => {
  it('has a known height before it is drawn', () => {
    expect(heightPx(spec(['甲', '乙'])) - heightPx(spec(['甲']))).toBe(rowPx(false));
    expect(heightPx(spec(['甲'], 3)) - heightPx(spec(['甲'], 2))).toBe(LABEL_PX);
  });

  it('never gives names more than about a quarter of the width, and drops remarks on a narrow screen', () => {
    const long = spec(['莫力达瓦达斡尔族自治旗和鄂伦春自治旗']);
    expect(columns(long, 800, measure)).toEqual({ name: 208, value: 78, remark: 52, stacked: false });
    expect(columns(long, 328, measure).remark).toBe(0);
  });

  it('puts names above their intervals where even two lines beside them are too few, in higher rows', () => {
    const long = spec(['莫力达瓦达斡尔族自治旗和鄂伦春自治旗']);
    expect(columns(long, 328, measure)).toMatchObject({ name: 0, stacked: true });
    expect(columns(spec(['南岗区']), 328, measure)).toMatchObject({ name: 47, stacked: false });
    expect(heightPx(long, true)).toBeGreaterThan(heightPx(long, false));
  });
});

describe('a saved picture', () => {
  it('writes colours in, so that it stands alone', () => {
    expect(withColours('<a fill="var(--ink-2)" stroke="var(--ink)"/>', (name) => `#${name.length}`)).toBe('<a fill="#7" stroke="#5"/>');
  });

  it('escapes names from imported files', () => {
    expect(escapeXml('<script a="b">&')).toBe('&lt;script a=&quot;b&quot;&gt;&amp;');
  });

  it('breaks a long Chinese title and loses no character', () => {
    const title = '十八个区、县（市）中，六个低于全市，十二个与全市分不出高低';
    const lines = broken(title, 180, 18);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.join('')).toBe(title);
  });
});
