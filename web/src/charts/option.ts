// From a chart's content to ECharts' option. Colours are names of the design tokens: the SVG follows light, dark and print by
// itself, and `picture.ts` writes the values in when a file is saved.

import type { CustomSeriesOption } from 'echarts/charts';
import type { EChartsCoreOption } from 'echarts/core';
import { CHART_FONT, type Measure } from './measure';
import { LABEL_PX, rowPx, topPx, type IntervalRow, type IntervalSpec, type MarkLine } from './spec';

const TEXT_PX = 13;
const GAP_PX = 12;
const CAP_PX = 4;
const POINT_PX = 4.5;

type RenderItem = NonNullable<CustomSeriesOption['renderItem']>;
type Drawn = ReturnType<RenderItem>;
type Params = Parameters<RenderItem>[0];
type Api = Parameters<RenderItem>[1];
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Columns {
  name: number;
  value: number;
  remark: number;
  /** Names above their intervals instead of beside them. */
  stacked: boolean;
}

const widest = (texts: string[], measure: Measure): number => Math.ceil(Math.max(0, ...texts.map(measure)));

/** Widths of the texts left and right of the plot. Names may break into two lines beside it; longer ones go above. */
export function columns(spec: IntervalSpec, width: number, measure: Measure): Columns {
  const longest = widest(spec.names, measure) + 8;
  const room = Math.max(72, width * 0.26);
  const stacked = longest > room * 1.7;
  const name = stacked ? 0 : Math.min(longest, room);
  const value = widest(spec.rows.map((row) => row.value), measure);
  const remark = width < 560 ? 0 : widest(spec.rows.map((row) => row.remark), measure);
  return { name, value: Math.min(value, width * 0.35), remark, stacked };
}

const box = (params: Params): Box => params.coordSys as unknown as Box;

const line = (x1: number, y1: number, x2: number, y2: number, style: object) => ({
  type: 'line' as const,
  shape: { x1, y1, x2, y2 },
  style,
});

const words = (text: string, x: number, y: number, style: object) => ({
  type: 'text' as const,
  style: { text, x, y, font: `${TEXT_PX}px ${CHART_FONT}`, verticalAlign: 'middle', ...style },
});

function drawBand(height: number): RenderItem {
  return (_params: Params, api: Api): Drawn => {
    const y = api.coord([0, api.value(0)])[1] ?? 0;
    return {
      type: 'rect',
      shape: { x: 0, y: y - height / 2, width: api.getWidth(), height },
      style: { fill: 'var(--band)' },
      silent: true,
    };
  };
}

/** The interval as a line with caps, the estimate as a point. */
function whisker(row: IntervalRow, y: number, at: (share: number) => number) {
  if (row.estimate === null) return [];
  const colour = row.banded ? 'var(--ink-2)' : 'var(--accent)';
  const stroke = { stroke: colour, lineWidth: 2 };
  const shape = { cx: at(row.estimate), cy: y, r: POINT_PX };
  // A share of exactly 0 or 1 has no interval: a hollow point says that nothing is known about its error.
  if (row.low === null || row.high === null)
    return [{ type: 'circle' as const, shape, style: { fill: 'var(--surface)', stroke: colour, lineWidth: 1.5 } }];
  const [low, high] = [at(row.low), at(row.high)];
  return [
    line(low, y, high, y, stroke),
    line(low, y - CAP_PX, low, y + CAP_PX, stroke),
    line(high, y - CAP_PX, high, y + CAP_PX, stroke),
    { type: 'circle' as const, shape, style: { fill: colour, stroke: 'var(--surface)', lineWidth: 1.5 } },
  ];
}

function drawRow(rows: IntervalRow[], wide: Columns): RenderItem {
  return (params, api) => {
    const row = rows[params.dataIndex];
    if (!row) return null;
    const plot = box(params);
    const middle = api.coord([0, params.dataIndex])[1] ?? 0;
    const y = wide.stacked ? middle + 10 : middle;
    const right = plot.x + plot.width + GAP_PX + wide.value;
    const value = words(row.value, right, y, { align: 'right', fill: row.estimate === null ? 'var(--ink-2)' : 'var(--ink)' });
    const remark = words(row.remark, right + GAP_PX, y, { fill: 'var(--ink-2)' });
    // Without a shape of its own the empty part of a row would not answer to the pointer.
    const touch = { type: 'rect' as const, shape: { ...plot, y: y - 12, height: 24 }, style: { fill: 'transparent' } };
    const above = words(row.name, 4, middle - 10, {
      fill: 'var(--ink)',
      // The lines of city and targets pass behind the name.
      backgroundColor: row.banded ? 'var(--band)' : 'var(--surface)',
      width: api.getWidth() - 8,
      overflow: 'truncate',
    });
    return {
      type: 'group',
      // Lighting up under the pointer computes with the colour, and a token's name is none: the point would vanish.
      emphasisDisabled: true,
      children: [touch, ...whisker(row, y, (share) => api.coord([share, 0])[0] ?? 0), value, ...(wide.remark > 0 ? [remark] : []), ...(wide.stacked ? [above] : [])],
    } as Drawn;
  };
}

function drawMark(lines: MarkLine[], measure: Measure): RenderItem {
  return (params, api) => {
    const mark = lines[params.dataIndex];
    if (!mark) return null;
    const plot = box(params);
    const x = api.coord([mark.value, 0])[0] ?? 0;
    const top = plot.y - (lines.length - params.dataIndex) * LABEL_PX;
    const width = measure(mark.label);
    // The leftmost label stands highest, so that no other line runs through it; near the right edge labels turn left.
    const turned = x + width + 8 > api.getWidth();
    const isWhole = mark.kind === 'whole';
    const stroke = { stroke: isWhole ? 'var(--ink)' : 'var(--caution-line)', lineWidth: 1.5, lineDash: isWhole ? null : [5, 4] };
    const label = words(mark.label, turned ? x - 6 : x + 6, top + LABEL_PX / 2 - 2, {
      align: turned ? 'right' : 'left',
      fill: isWhole ? 'var(--ink)' : 'var(--caution)',
      backgroundColor: 'var(--surface)',
      padding: [1, 2],
    });
    return { type: 'group', silent: true, children: [line(x, top, x, plot.y + plot.height, stroke), label] } as Drawn;
  };
}

const PLAIN = { type: 'custom', animation: false, clip: false } as const;

export const tooltip = {
  trigger: 'item',
  // HTML boxes set style attributes, which the content policy forbids.
  renderMode: 'richText',
  confine: true,
  backgroundColor: 'var(--surface)',
  borderColor: 'var(--line-2)',
  borderWidth: 1,
  textStyle: { color: 'var(--ink)', fontSize: TEXT_PX, fontFamily: CHART_FONT, lineHeight: 20 },
  transitionDuration: 0,
} as const;

function axes(spec: IntervalSpec, { name, stacked }: Columns) {
  const label = { color: 'var(--ink-2)', fontSize: TEXT_PX, fontFamily: CHART_FONT };
  return {
    xAxis: {
      type: 'value', min: 0, max: spec.end, interval: spec.step,
      name: spec.axis, nameLocation: 'middle', nameGap: 26, nameTextStyle: label,
      axisLabel: { ...label, formatter: (share: number) => `${Math.round(share * 100)}%`, showMaxLabel: true, hideOverlap: true },
      splitLine: { lineStyle: { color: 'var(--grid)' } },
    },
    yAxis: {
      type: 'category', inverse: true, data: spec.rows.map((row) => row.name),
      axisLabel: { ...label, show: !stacked, color: 'var(--ink)', width: name, overflow: 'break', lineHeight: 15, interval: 0, margin: GAP_PX },
      axisTick: { show: false },
      axisLine: { show: false },
    },
  };
}

/** What every chart has. */
export const frameOption = (readAloud: string): EChartsCoreOption => ({
  animation: false,
  aria: { enabled: true, label: { description: readAloud } },
  textStyle: { fontFamily: CHART_FONT },
});

export function intervalOption(spec: IntervalSpec, width: number, measure: Measure, readAloud: string): EChartsCoreOption {
  const wide = columns(spec, width, measure);
  const lines = spec.lines.toSorted((a, b) => a.value - b.value);
  const right = GAP_PX + wide.value + (wide.remark > 0 ? GAP_PX + wide.remark : 0) + 8;
  return {
    ...frameOption(readAloud),
    grid: { left: wide.name + GAP_PX + 8, right, top: topPx(spec), bottom: 44, outerBoundsMode: 'none' },
    tooltip,
    ...axes(spec, wide),
    series: [
      { ...PLAIN, z: -1, silent: true, renderItem: drawBand(rowPx(wide.stacked)), tooltip: { show: false },
        data: spec.rows.flatMap((row, place) => (row.banded ? [[place]] : [])) },
      { ...PLAIN, z: 1, silent: true, renderItem: drawMark(lines, measure), tooltip: { show: false }, data: lines.map((mark) => [mark.value, 0]) },
      { ...PLAIN, z: 2, renderItem: drawRow(spec.rows, wide), encode: { x: 0, y: 1 },
        tooltip: { formatter: (item: { dataIndex: number }) => spec.rows[item.dataIndex]?.hover ?? '' },
        data: spec.rows.map((row, place) => [row.estimate ?? 0, place]) },
    ],
  };
}
