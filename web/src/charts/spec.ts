// What an interval chart shows, without a word about how it is drawn.

export interface IntervalRow {
  name: string;
  estimate: number | null;
  low: number | null;
  high: number | null;
  /** Written at the right end: the number, or why there is none. */
  value: string;
  /** A few words after the number, such as 高于全市. */
  remark: string;
  /** Lines of the hover box. */
  hover: string;
  /** Stands in the light band: cannot be told from the whole. */
  banded: boolean;
}

export interface MarkLine {
  value: number;
  label: string;
  kind: 'whole' | 'target';
}

export interface IntervalSpec {
  rows: IntervalRow[];
  lines: MarkLine[];
  /** The right end of the axis, a share. */
  end: number;
  /** The distance of the axis marks, a share. */
  step: number;
  /** Names that the left column must have room for: those of all charts that share the axis. */
  names: string[];
  axis: string;
}

const ROW_PX = 30;
const STACKED_ROW_PX = 46;
export const LABEL_PX = 20;
const AXIS_PX = 44;

export const topPx = (spec: IntervalSpec): number => spec.lines.length * LABEL_PX + 8;

/** Where there is no room for names beside the plot they stand above their intervals: the rows are then higher. */
export const rowPx = (stacked: boolean): number => (stacked ? STACKED_ROW_PX : ROW_PX);

/** Known before the chart is drawn, so that nothing jumps when it appears. */
export const heightPx = (spec: IntervalSpec, stacked = false): number =>
  topPx(spec) + spec.rows.length * rowPx(stacked) + AXIS_PX;
