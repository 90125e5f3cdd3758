// What a chart over years shows, and where each part stands. Plain SVG: a dozen points need no chart library.

export interface TrendPoint {
  year: number;
  share: number;
  low: number | null;
  high: number | null;
}

/** One line of points. `published` figures of others are hollow and never joined to anything. */
export interface TrendLine {
  id: string;
  name: string;
  kind: 'first' | 'second' | 'published';
  points: TrendPoint[];
}

export interface TrendPath {
  id: string;
  name: string;
  from: { year: number; share: number } | null;
  to: { year: number; share: number };
}

export interface TrendSpec {
  lines: TrendLine[];
  paths: TrendPath[];
}

export const HEIGHT = 340;
const LEFT = 52;
const TOP = 16;
const BOTTOM = 32;
const ROW = 18;

export interface Frame {
  x: (year: number) => number;
  y: (share: number) => number;
  years: number[];
  marks: number[];
  right: number;
  bottom: number;
}

const stepOf = (end: number): number => (end > 0.4 ? 0.1 : end > 0.15 ? 0.05 : 0.02);

/** The scales: years that have something, shares from zero to above everything drawn. */
export function frame(spec: TrendSpec, width: number, labels: number): Frame {
  const points = spec.lines.flatMap((line) => line.points);
  const years = [...new Set([...points.map((p) => p.year), ...spec.paths.map((path) => path.to.year)])].toSorted((a, b) => a - b);
  const first = years[0] ?? 0;
  const last = years.at(-1) ?? first;
  const highest = Math.max(0.05, ...points.map((p) => p.high ?? p.share), ...spec.paths.map((path) => path.to.share));
  const step = stepOf(highest);
  const end = Math.ceil(highest / step - 1e-9) * step;
  const right = width - labels;
  const bottom = HEIGHT - BOTTOM;
  const span = Math.max(1, last - first);
  const inset = 24;
  return {
    x: (year) => LEFT + inset + ((year - first) / span) * (right - LEFT - 2 * inset),
    y: (share) => bottom - (share / end) * (bottom - TOP),
    years,
    marks: Array.from({ length: Math.round(end / step) + 1 }, (_, at) => at * step),
    right,
    bottom,
  };
}

/** Labels at the right end, each as near to its point as the others let it. */
export function spread(wanted: readonly number[]): number[] {
  const order = wanted.map((y, at) => ({ y, at })).toSorted((a, b) => a.y - b.y);
  let free = Number.NEGATIVE_INFINITY;
  const placed = order.map(({ y, at }) => {
    free = Math.max(y, free + ROW);
    return { at, y: free };
  });
  // What was pushed below the plot comes back up.
  let limit = HEIGHT - BOTTOM;
  for (const one of placed.toReversed()) {
    one.y = Math.min(one.y, limit);
    limit = one.y - ROW;
  }
  return placed.toSorted((a, b) => a.at - b.at).map(({ y }) => y);
}
