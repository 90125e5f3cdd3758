// From a map's content to ECharts' option. Loaded with the chart library, when a map is to be drawn.

import type { CustomSeriesOption } from 'echarts/charts';
import type { EChartsCoreOption } from 'echarts/core';
import { backHatching, hatching, mapLayout, SWATCH_PX, type Box, type MapCell, type MapKey, type MapLayout, type MapMark, type MapSpec, type Stroke } from './map';
import { CHART_FONT, type Measure } from './measure';
import { pathOf, type Room } from './outlines';
import { frameOption, tooltip } from './option';

type RenderItem = NonNullable<CustomSeriesOption['renderItem']>;
type Drawn = ReturnType<RenderItem>;

const HATCH_PX = 8;
const SWATCH_HATCH_PX = 5;
const INSET_PX = 6;
const EDGE_PX = 4;
const TIGHT_PX = 3;
/** Room for three signs of a name. */
const WORDS_MIN_PX = 40;
/** The size that texts are measured at, and how much wider strong ones may be. */
const MEASURED_PX = 13;
const BOLDER = 1.05;

interface Line {
  text: string;
  y: number;
  size: number;
  weight: number;
  /** Ends with an ellipsis where it is too long. A number is never cut: half of one is another one. */
  cut: boolean;
}

const linesOf = ({ name, value, remark }: MapCell): Line[] => {
  const low = remark === '';
  const lines = [{ text: name, y: low ? 20 : 14, size: 13, weight: 400, cut: true }, { text: value, y: low ? 42 : 33, size: 15, weight: 600, cut: false }];
  return low ? lines : [...lines, { text: remark, y: 51, size: 12, weight: 400, cut: true }];
};

const words = (at: Box, inset: number) => ({ text, y, size, weight, cut }: Line) => ({
  type: 'text' as const,
  style: {
    text, x: at.x + at.width / 2, y: at.y + y, align: 'center' as const, verticalAlign: 'middle' as const, fill: 'var(--ink)',
    font: `${weight} ${size}px ${CHART_FONT}`,
    ...(cut ? { width: at.width - 2 * inset, overflow: 'truncate' as const, ellipsis: '…' } : {}),
  },
});

/** Hatching behind words is hard to read: they stand on a plate in the tile's own shade. */
function plate(at: Box, { step }: MapCell, lines: readonly Line[], measure: Measure) {
  const widest = Math.max(...lines.map(({ text, size }) => (measure(text) * size * BOLDER) / MEASURED_PX));
  const width = Math.min(at.width - 2 * EDGE_PX, widest + 2 * INSET_PX);
  const shape = { x: at.x + (at.width - width) / 2, y: at.y + EDGE_PX, width, height: at.height - 2 * EDGE_PX, r: 3 };
  return { type: 'rect' as const, shape, style: { fill: `var(--heat-${step})` } };
}

const strokes = (shapes: readonly Stroke[]) =>
  shapes.map((shape) => ({ type: 'line' as const, shape, style: { stroke: 'var(--line-2)', lineWidth: 1 } }));

/** The ground says by its shade how high the share is, by its hatching that it is a hint, by its broken edge that there is none. */
function ground(at: Box, step: number, mark: MapMark, hatch: number) {
  const rect = {
    type: 'rect' as const,
    shape: { ...at, r: 3 },
    style: {
      fill: mark === 'blank' ? 'var(--surface)' : `var(--heat-${step})`,
      stroke: mark === 'blank' ? 'var(--line-2)' : 'var(--line-1)',
      lineWidth: 1,
      lineDash: mark === 'blank' ? [3, 3] : null,
    },
  };
  return [rect, ...strokes(mark === 'rough' ? hatching(at, hatch) : [])];
}

function drawTile(spec: MapSpec, { boxes }: MapLayout, measure: Measure): RenderItem {
  return ({ dataIndex }) => {
    const [cell, at] = [spec.cells[dataIndex], boxes[dataIndex]];
    if (!cell || !at) return null;
    const lines = linesOf(cell);
    const plates = cell.mark === 'rough' ? [plate(at, cell, lines, measure)] : [];
    return {
      type: 'group',
      emphasisDisabled: true,
      children: [...ground(at, cell.step, cell.mark, HATCH_PX), ...plates, ...lines.map(words(at, INSET_PX))],
    } as Drawn;
  };
}

/** Hatched in one direction where the number is a hint, in both where there is none: neighbours share their edges. */
function marks(at: Box, mark: MapMark, hatch: number): Stroke[] {
  if (mark === 'sure') return [];
  return [...hatching(at, hatch), ...(mark === 'blank' ? backHatching(at, hatch) : [])];
}

function drawShape(cells: ReadonlyMap<string, MapCell>, { shapes }: MapLayout): RenderItem {
  return ({ dataIndex }) => {
    const shape = shapes[dataIndex];
    const cell = shape && cells.get(shape.code);
    if (!cell) return null;
    const path = { type: 'path' as const, shape: { pathData: pathOf(shape) } };
    const fill = cell.mark === 'blank' ? 'var(--surface)' : `var(--heat-${cell.step})`;
    const box = { x: shape.left, y: shape.top, width: shape.right - shape.left, height: shape.bottom - shape.top };
    const edge = { stroke: 'var(--ink-2)', lineWidth: 0.75, lineJoin: 'round' };
    // Outlines may be long: one that needs no hatching is written once.
    const children =
      cell.mark === 'sure'
        ? [{ ...path, style: { fill, ...edge } }]
        : [
            { ...path, style: { fill } },
            { type: 'group', clipPath: path, children: strokes(marks(box, cell.mark, HATCH_PX)) },
            { ...path, style: { fill: 'transparent', ...edge } },
          ];
    return { type: 'group', emphasisDisabled: true, children } as Drawn;
  };
}

/** Name and number where the number fits into the shape; else the hover box and the table tell them. */
function drawWords(cells: ReadonlyMap<string, MapCell>, { shapes }: MapLayout, measure: Measure): RenderItem {
  return ({ dataIndex }) => {
    const shape = shapes[dataIndex];
    const cell = shape && cells.get(shape.code);
    if (!cell || !shape.room || !fits(cell, shape.room, measure)) return null;
    const { x, y } = shape.room;
    const at = { x: x - shape.room.width / 2, y: y - 18, width: shape.room.width, height: 36 };
    const lines = [{ text: cell.name, y: 10, size: 13, weight: 400, cut: true }, { text: cell.value, y: 26, size: 13, weight: 600, cut: false }];
    const plates = cell.mark === 'sure' ? [] : [plate(at, cell, lines, measure)];
    return { type: 'group', silent: true, children: [...plates, ...lines.map(words(at, TIGHT_PX))] } as Drawn;
  };
}

const fits = (cell: MapCell, room: Room, measure: Measure): boolean =>
  Math.max(WORDS_MIN_PX, measure(cell.value) * BOLDER) + 2 * TIGHT_PX <= room.width;

function drawKey(keys: readonly MapKey[], { legend }: MapLayout, isTiles: boolean): RenderItem {
  return ({ dataIndex }) => {
    const [key, place] = [keys[dataIndex], legend.places[dataIndex]];
    if (!key || !place) return null;
    const at = { x: place.x + 0.5, y: place.y - 7, width: SWATCH_PX - 1, height: 14 };
    const crossed = key.mark === 'blank' && !isTiles ? marks(at, 'blank', SWATCH_HATCH_PX) : [];
    const label = {
      type: 'text' as const,
      style: { text: key.label, x: place.x + SWATCH_PX + 6, y: place.y, fill: 'var(--ink-2)', font: `13px ${CHART_FONT}`, verticalAlign: 'middle' as const },
    };
    return { type: 'group', silent: true, children: [...ground(at, key.step, key.mark === 'blank' && !isTiles ? 'sure' : key.mark, SWATCH_HATCH_PX), ...strokes(crossed), label] } as Drawn;
  };
}

const PLAIN = { type: 'custom', animation: false, clip: false, coordinateSystem: 'none' } as const;

export function mapOption(spec: MapSpec, width: number, measure: Measure, readAloud: string): EChartsCoreOption {
  const layout = mapLayout(spec, width, measure);
  const cells = new Map(spec.cells.map((cell) => [cell.code, cell]));
  const hover = (cell: MapCell | undefined): string => cell?.hover ?? '';
  const places = layout.shapes.map((_, place) => [place]);
  const drawn = spec.outlines
    ? [
        { ...PLAIN, renderItem: drawShape(cells, layout), data: places,
          tooltip: { formatter: (item: { dataIndex: number }) => hover(cells.get(layout.shapes[item.dataIndex]?.code ?? '')) } },
        { ...PLAIN, silent: true, renderItem: drawWords(cells, layout, measure), data: places, tooltip: { show: false } },
      ]
    : [
        { ...PLAIN, renderItem: drawTile(spec, layout, measure), data: spec.cells.map((_, place) => [place]),
          tooltip: { formatter: (item: { dataIndex: number }) => hover(spec.cells[item.dataIndex]) } },
      ];
  return {
    ...frameOption(readAloud),
    tooltip,
    series: [
      ...drawn,
      { ...PLAIN, silent: true, renderItem: drawKey(spec.keys, layout, spec.outlines === null), tooltip: { show: false }, data: spec.keys.map((_, place) => [place]) },
    ],
  };
}
