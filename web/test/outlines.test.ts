import { describe, expect, it } from 'vitest';
import type { ComposerTranslation } from 'vue-i18n';
import type { MapFile } from '../src/api/types';
import { pathOf, project, type Outline, type Ring } from '../src/charts/outlines';
import { i18n } from '../src/i18n';
import { mapCredits, mapNote, mapSpec } from '../src/results/map';
import { results, row } from './fixtures/rows';

const t = i18n.global.t as unknown as ComposerTranslation;
const square = (west: number, south: number, size = 1): Ring => [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]];
const outline = (code: string, ...polygons: Ring[][]): Outline => ({ code, polygons });

describe('the projection', () => {
  it('shortens degrees of longitude by the cosine of the middle latitude, and has north above', () => {
    const { shapes, height } = project([outline('1', [square(126, 59.5)])], 400);
    const [shape] = shapes;
    expect(shape).toBeDefined();
    if (!shape) return;
    expect((shape.right - shape.left) / (shape.bottom - shape.top)).toBeCloseTo(Math.cos((60 * Math.PI) / 180), 6);
    expect(shape.bottom).toBeLessThanOrEqual(height);
    const two = project([outline('south', [square(0, 0)]), outline('north', [square(0, 1)])], 400).shapes;
    expect(two[1]?.bottom).toBeCloseTo(two[0]?.top ?? 0, 6);
  });

  it('stays inside the width and the largest height, in the middle', () => {
    for (const width of [300, 700, 1100]) {
      const { shapes, height } = project([outline('1', [square(120, 40)]), outline('2', [square(121, 40)])], width);
      const [left, right] = [Math.min(...shapes.map((one) => one.left)), Math.max(...shapes.map((one) => one.right))];
      expect(left).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(width);
      expect(left + right).toBeCloseTo(width, 6);
      expect(height).toBeLessThanOrEqual(621);
    }
  });

  it('turns holes against their edges whichever way they came', () => {
    const area = (ring: string): number => {
      const points = ring.replace(/[MZ]/g, '').split('L').map((pair) => pair.split(',').map(Number));
      return points.reduce((sum, [x = 0, y = 0], place) => sum + x * (points[(place + 1) % points.length]?.[1] ?? 0) - (points[(place + 1) % points.length]?.[0] ?? 0) * y, 0);
    };
    for (const hole of [square(0.3, 0.3, 0.2), square(0.3, 0.3, 0.2).toReversed()])
      for (const edge of [square(0, 0), square(0, 0).toReversed()]) {
        const [shape] = project([outline('1', [edge, hole])], 400).shapes;
        const rings = (shape ? pathOf(shape) : '').split(/(?=M)/);
        expect(rings.map((ring) => Math.sign(area(ring)))).toEqual([1, -1]);
      }
  });

  it('leaves out points that nobody could tell apart', () => {
    const fine: Ring = [...Array.from({ length: 5000 }, (_, place) => [place / 5000, 0] as const), [1, 1], [0, 1], [0, 0]];
    const [shape] = project([outline('1', [fine])], 300).shapes;
    expect(shape?.polygons[0]?.[0]?.length).toBeLessThan(700);
  });

  it('finds room for words inside a shape, in its largest part, and none in a splinter', () => {
    const [shape] = project([outline('1', [square(0, 0, 0.1)], [square(2, 2, 3)])], 600).shapes;
    expect(shape?.room?.width).toBeGreaterThan(300);
    expect(shape && shape.room && shape.room.x > (shape.left + shape.right) / 2).toBe(true);
    const splinter: Ring = [[0, 0], [100, 0.1], [100, 0.2], [0, 0]];
    expect(project([outline('1', [splinter])], 600).shapes[0]?.room).toBeNull();
    // A U: the words stand in one of its arms or its foot, never in the gap.
    const u: Ring = [[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3], [0, 0]];
    const room = project([outline('1', [u])], 600).shapes[0]?.room;
    expect(room).not.toBeNull();
  });

  it('draws nothing where there is nothing to draw', () => {
    expect(project([], 600)).toEqual({ shapes: [], height: 0 });
    expect(project([outline('1', [[[1, 1], [1, 1], [1, 1], [1, 1]]])], 600).height).toBe(0);
  });
});

describe('a map that somebody supplied', () => {
  const table = { id: 'district', by: ['district'], label: { 'zh-CN': '区、县（市）' }, rows: [row('230102', 0.1, [0.05, 0.15]), row('230103', 0.2, [0.15, 0.25])] };
  const file = (codes: string[], more: Partial<MapFile> = {}): MapFile => ({
    features: codes.map((region, place) => ({ properties: { region }, geometry: { coordinates: [[square(place, 0) as [number, number][]]] } })),
    ...more,
  });

  it('is drawn by code, of six digits or of twelve, and what it lacks is told in words', () => {
    const map = file(['230102000000', '999999']);
    const spec = mapSpec(results(), table, map, t);
    expect(spec.outlines?.map((one) => one.code)).toEqual(['230102']);
    expect(mapNote(spec, map, t)).toContain('地图上没有区230103的边界');
  });

  it('says whose it is, and that it is for internal use where it has no 审图号', () => {
    const plain = file(['230102', '230103']);
    expect(mapNote(mapSpec(results(), table, plain, t), plain, t)).toBe('底色越浓，比例越高；浓淡相近的，高低未必真实。写不下文字的小块见数值表。这份地图没有审图号，仅供内部使用。');
    const good = file(['230102', '230103'], { source: '某部门', review_number: '黑S(2025)1号' });
    expect(mapNote(mapSpec(results(), table, good, t), good, t)).toBe('底色越浓，比例越高；浓淡相近的，高低未必真实。写不下文字的小块见数值表。');
    expect(mapCredits(mapSpec(results(), table, good, t), good, t)).toEqual([{ label: '地图来源：', text: '某部门' }, { label: '审图号：', text: '黑S(2025)1号' }]);
  });

  it('of other places leaves the tiles', () => {
    expect(mapSpec(results(), table, file(['999999']), t).outlines).toBeNull();
    expect(mapNote(mapSpec(results(), table, null, t), null, t)).toContain('没有提供地图');
  });
});
