// From a map's content to ECharts' option. Loaded with the chart library, when a map is to be drawn.

import type { CustomSeriesOption } from 'echarts/charts';
import type { EChartsCoreOption } from 'echarts/core';
import { hatching, mapLayout, SWATCH_PX, type Box, type MapCell, type MapKey, type MapLayout, type MapMark, type MapSpec } from './map';
import { CHART_FONT, type Measure } from './measure';
import { frameOption, tooltip } from './option';

type RenderItem = NonNullable<CustomSeriesOption['renderItem']>;
type Drawn = ReturnType<RenderItem>;

const HATCH_PX = 8;
const SWATCH_HATCH_PX = 5;
const INSET_PX = 6;
const EDGE_PX = 4;
/** The size that texts are measured at, and how much wider strong ones may be. */
const MEASURED_PX = 13;
const BOLDER = 1.05;

interface Line {
  text: string;
  y: number;
  size: number;
  weight: number;
}

const linesOf = ({ name, value, remark }: MapCell): Line[] => {
  const low = remark === '';
  const lines = [{ text: name, y: low ? 20 : 14, size: 13, weight: 400 }, { text: value, y: low ? 42 : 33, size: 15, weight: 600 }];
  return low ? lines : [...lines, { text: remark, y: 51, size: 12, weight: 400 }];
};

const words = (at: Box) => ({ text, y, size, weight }: Line) => ({
  type: 'text' as const,
  style: {
    text, x: at.x + at.width / 2, y: at.y + y, align: 'center' as const, verticalAlign: 'middle' as const, fill: 'var(--ink)',
    font: `${weight} ${size}px ${CHART_FONT}`, width: at.width - 2 * INSET_PX, overflow: 'truncate' as const, ellipsis: '…',
  },
});

/** Hatching behind words is hard to read: they stand on a plate in the tile's own shade. */
function plate(at: Box, { step }: MapCell, lines: readonly Line[], measure: Measure) {
  const widest = Math.max(...lines.map(({ text, size }) => (measure(text) * size * BOLDER) / MEASURED_PX));
  const width = Math.min(at.width - 2 * EDGE_PX, widest + 2 * INSET_PX);
  const shape = { x: at.x + (at.width - width) / 2, y: at.y + EDGE_PX, width, height: at.height - 2 * EDGE_PX, r: 3 };
  return { type: 'rect' as const, shape, style: { fill: `var(--heat-${step})` } };
}

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
  const strokes = mark === 'rough' ? hatching(at, hatch) : [];
  return [rect, ...strokes.map((shape) => ({ type: 'line' as const, shape, style: { stroke: 'var(--line-2)', lineWidth: 1 } }))];
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
      children: [...ground(at, cell.step, cell.mark, HATCH_PX), ...plates, ...lines.map(words(at))],
    } as Drawn;
  };
}

function drawKey(keys: readonly MapKey[], { legend }: MapLayout): RenderItem {
  return ({ dataIndex }) => {
    const [key, place] = [keys[dataIndex], legend.places[dataIndex]];
    if (!key || !place) return null;
    const at = { x: place.x + 0.5, y: place.y - 7, width: SWATCH_PX - 1, height: 14 };
    const label = {
      type: 'text' as const,
      style: { text: key.label, x: place.x + SWATCH_PX + 6, y: place.y, fill: 'var(--ink-2)', font: `13px ${CHART_FONT}`, verticalAlign: 'middle' as const },
    };
    return { type: 'group', silent: true, children: [...ground(at, key.step, key.mark, SWATCH_HATCH_PX), label] } as Drawn;
  };
}

const PLAIN = { type: 'custom', animation: false, clip: false, coordinateSystem: 'none' } as const;

export function mapOption(spec: MapSpec, width: number, measure: Measure, readAloud: string): EChartsCoreOption {
  const layout = mapLayout(spec, width, measure);
  return {
    ...frameOption(readAloud),
    tooltip,
    series: [
      { ...PLAIN, renderItem: drawTile(spec, layout, measure), data: spec.cells.map((_, place) => [place]),
        tooltip: { formatter: (item: { dataIndex: number }) => spec.cells[item.dataIndex]?.hover ?? '' } },
      { ...PLAIN, silent: true, renderItem: drawKey(spec.keys, layout), tooltip: { show: false }, data: spec.keys.map((_, place) => [place]) },
    ],
  };
}
