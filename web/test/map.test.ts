import { afterEach, describe, expect, it } from 'vitest';
import type { ComposerTranslation } from 'vue-i18n';
import { hatching, legend, mapLayout, TILE_PX, tileBoxes, tileColumns, type MapSpec } from '../src/charts/map';
import { i18n } from '../src/i18n';
import { mapFinding, mapRows, mapSpec } from '../src/results/map';
import { results, row } from './fixtures/rows';

const t = i18n.global.t as unknown as ComposerTranslation;
const measure = (text: string): number => text.length * 13;
const sure = (code: string, estimate: number, ci: [number, number]) => ({ ...row(code, estimate, ci), effective_n: 100 });
const table = (rows: ReturnType<typeof row>[]) => ({ id: 'district', by: ['district'], label: { 'zh-CN': '区、县（市）' }, rows });

afterEach(() => {
  i18n.global.locale.value = 'zh-CN';
});

describe('the tile grid', () => {
  it('is a little wider than high where there is room, and as narrow as it must be where there is none', () => {
    expect(tileColumns(18, 1102)).toBe(6);
    expect(tileColumns(120, 1102)).toBe(12);
    expect(tileColumns(120, 702)).toBe(7);
    expect(tileColumns(120, 60)).toBe(1);
    expect(tileColumns(2, 1102)).toBe(2);
  });

  it('puts every tile inside its width, none over another', () => {
    const boxes = tileBoxes(120, 702);
    expect(boxes).toHaveLength(120);
    for (const [place, box] of boxes.entries()) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(702);
      const next = boxes[place + 1];
      if (next) expect(next.y > box.y || next.x >= box.x + box.width).toBe(true);
    }
  });

  it('has a known height before it is drawn, legend and all', () => {
    const spec: MapSpec = { cells: mapSpec(results(), table([sure('1', 0.1, [0.05, 0.15]), sure('2', 0.2, [0.15, 0.25])]), null, t).cells, keys: [{ label: '0%起', step: 0, mark: 'sure' }], outlines: null };
    expect(mapLayout(spec, 800, measure).height).toBe(TILE_PX + 36);
    expect(mapLayout(spec, 100, measure).height).toBe(2 * TILE_PX + 36);
  });

  it('breaks its legend where the width ends', () => {
    const keys = ['一二三四', '一二三四', '一二三四'].map((label) => ({ label, step: 0, mark: 'sure' as const }));
    expect(legend(keys, 300, 0, measure).places.map(({ x, y }) => [x, y])).toEqual([[0, 24], [96, 24], [192, 24]]);
    expect(legend(keys, 200, 0, measure).places.map(({ x, y }) => [x, y])).toEqual([[0, 24], [96, 24], [0, 48]]);
  });

  it('is hatched within its edges', () => {
    const box = { x: 10, y: 20, width: 30, height: 12 };
    const strokes = hatching(box, 8);
    expect(strokes.length).toBe(5);
    for (const { x1, y1, x2, y2 } of strokes) {
      expect(Math.min(x1, x2)).toBeGreaterThanOrEqual(10);
      expect(Math.max(x1, x2)).toBeLessThanOrEqual(40);
      expect(Math.min(y1, y2)).toBeGreaterThanOrEqual(20);
      expect(Math.max(y1, y2)).toBeLessThanOrEqual(32);
      expect(x2 - x1).toBe(y1 - y2);
    }
  });
});

describe('what the map says', () => {
  const withheld = { ...row('3', null, null), withheld: 'side', not_estimable: { 'zh-CN': '为保护受访者不公布', en: 'withheld' } };
  const rough = row('4', 0.4, [0.1, 0.7]);
  const rows = [sure('1', 0.05, [0.02, 0.08]), sure('2', 0.2, [0.17, 0.25]), withheld, rough];

  it('a withheld cell is a sign and words, a weak one hatched and named so, whatever it would rank', () => {
    const { cells } = mapSpec(results(), table(rows), null, t);
    expect(cells.map(({ value, remark, mark, step }) => [value, remark, mark, step])).toEqual([
      ['5.00%', '低于全市', 'sure', 1],
      ['20.00%', '高于全市', 'sure', 3],
      ['✱', '不公布', 'blank', 0],
      ['40.00%', '仅供参考', 'rough', 4],
    ]);
    expect(mapFinding(table(rows), t)).toBe('样本足够的区、县（市）中，区2最高（20.00%），区1最低（5.00%）；1个仅供参考；1个没有可公布的数');
  });

  it('the legend names the marks that are there, and no other', () => {
    expect(mapSpec(results(), table(rows), null, t).keys.map((key) => key.mark)).toEqual(['sure', 'sure', 'sure', 'sure', 'sure', 'rough', 'blank']);
    expect(mapSpec(results(), table(rows.slice(0, 2)), null, t).keys.map((key) => key.mark)).toEqual(['sure', 'sure', 'sure', 'sure', 'sure']);
  });

  it('the table has whole names, numbers and reasons', () => {
    expect(mapRows(results(), table(rows.slice(1, 3)), t)).toEqual([
      ['区2', '20.00%', '17.00%–25.00%', '高于全市'],
      ['区3', '✱', '–', '不公布，为保护受访者不公布'],
    ]);
  });

  it('nothing is compared where fewer than two districts carry a statement', () => {
    expect(mapFinding(table([rough, withheld]), t)).toBe('样本足够的区、县（市）不足两个，不比较高低；1个仅供参考；1个没有可公布的数');
  });
});
