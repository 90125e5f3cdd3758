// From longitudes and latitudes to places on the page. A city is small enough for the simplest projection there is:
// degrees as they are, those of longitude shortened by the cosine of the middle latitude.

export type Point = readonly [number, number];
export type Ring = Point[];

export interface Outline {
  code: string;
  /** Polygons of rings; the first ring of each is its edge, the others are holes. */
  polygons: Ring[][];
}

export interface Room {
  x: number;
  y: number;
  width: number;
}

export interface Shape {
  code: string;
  polygons: Ring[][];
  left: number;
  top: number;
  right: number;
  bottom: number;
  /** The widest place for two lines of words; none where there is none. */
  room: Room | null;
}

export interface Projected {
  shapes: Shape[];
  height: number;
}

const HEIGHT_MAX = 620;
const MARGIN = 4;
/** Points that are nearer to each other are one on the page. */
const APART_PX = 0.5;
/** The upper and lower edge of two lines of words, seen from their middle. */
const WORDS_PX = 17;
const SCANS = 15;

const RADIANS = Math.PI / 180;

interface Edges {
  west: number;
  east: number;
  south: number;
  north: number;
}

function edges(outlines: readonly Outline[]): Edges {
  const all = { west: Infinity, east: -Infinity, south: Infinity, north: -Infinity };
  for (const { polygons } of outlines)
    for (const [outer] of polygons)
      for (const [east, north] of outer ?? []) {
        all.west = Math.min(all.west, east);
        all.east = Math.max(all.east, east);
        all.south = Math.min(all.south, north);
        all.north = Math.max(all.north, north);
      }
  return all;
}

/** Twice the area, positive where a ring runs clockwise on the page. */
const turned = (ring: Ring): number =>
  ring.reduce((sum, [x, y], place) => {
    const [nextX, nextY] = ring[(place + 1) % ring.length] ?? [x, y];
    return sum + x * nextY - nextX * y;
  }, 0);

/** Without the points that nobody could tell from the ones before; holes run the other way than edges, so that they stay holes. */
function drawn(ring: Ring, isHole: boolean): Ring {
  const kept: Ring = [];
  for (const point of ring) {
    const last = kept.at(-1);
    if (!last || Math.abs(point[0] - last[0]) >= APART_PX || Math.abs(point[1] - last[1]) >= APART_PX) kept.push(point);
  }
  const whole = kept.length < 3 ? ring : kept;
  return turned(whole) < 0 === isHole ? whole : whole.toReversed();
}

/** Where a level line runs inside a polygon, as pairs of left and right ends. */
function spans(polygon: readonly Ring[], y: number): Point[] {
  const crossings = polygon.flatMap((ring) =>
    ring.flatMap(([x1, y1], place) => {
      const [x2, y2] = ring[(place + 1) % ring.length] ?? [x1, y1];
      return y1 <= y === y2 <= y ? [] : [x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)];
    }),
  );
  const sorted = crossings.toSorted((a, b) => a - b);
  return sorted.flatMap((left, place) => (place % 2 === 0 && sorted[place + 1] !== undefined ? [[left, sorted[place + 1] ?? left] as const] : []));
}

const common = (a: readonly Point[], b: readonly Point[]): Point[] =>
  a.flatMap(([left, right]) => b.map(([l, r]) => [Math.max(left, l), Math.min(right, r)] as const).filter(([l, r]) => r > l));

/** The widest place in a polygon for two lines of words, as near to its middle as there is one so wide. */
function roomIn(polygon: readonly Ring[], top: number, bottom: number): Room | null {
  let best: Room | null = null;
  const middle = (top + bottom) / 2;
  const levels = Array.from({ length: SCANS }, (_, place) => top + ((place + 1) * (bottom - top)) / (SCANS + 1));
  for (const y of levels.toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle))) {
    const free = [y - WORDS_PX, y + WORDS_PX].reduce((left, level) => common(left, spans(polygon, level)), spans(polygon, y));
    for (const [left, right] of free) if (right - left > (best?.width ?? 0) * 1.15) best = { x: (left + right) / 2, y, width: right - left };
  }
  return best;
}

function shape(code: string, polygons: Ring[][]): Shape {
  const of = (rings: readonly Ring[]) => {
    const [xs, ys] = [rings.flatMap((ring) => ring.map(([x]) => x)), rings.flatMap((ring) => ring.map(([, y]) => y))];
    const least = (values: number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
    const most = (values: number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);
    return { left: least(xs), right: most(xs), top: least(ys), bottom: most(ys) };
  };
  const all = of(polygons.flat());
  // The words of a district with several parts stand in the largest.
  const area = (polygon: readonly Ring[]): number => Math.abs(turned(polygon[0] ?? []));
  const largest = polygons.toSorted((a, b) => area(b) - area(a))[0] ?? [];
  const { top, bottom } = of(largest);
  return { code, polygons, ...all, room: roomIn(largest, top, bottom) };
}

/** The outlines in a picture of this width: as large as fits, in the middle, north above. */
export function project(outlines: readonly Outline[], width: number): Projected {
  const { west, east, south, north } = edges(outlines);
  if (!(east > west) || !(north > south) || width <= 0) return { shapes: [], height: 0 };
  const shorter = Math.cos(((south + north) / 2) * RADIANS);
  const scale = Math.min((width - 2 * MARGIN) / ((east - west) * shorter), (HEIGHT_MAX - 2 * MARGIN) / (north - south));
  const left = (width - (east - west) * shorter * scale) / 2;
  const at = ([x, y]: Point): Point => [left + (x - west) * shorter * scale, MARGIN + (north - y) * scale];
  const placed = outlines.map(({ code, polygons }) =>
    shape(code, polygons.map((rings) => rings.map((ring, place) => drawn(ring.map(at), place > 0)))),
  );
  return { shapes: placed, height: Math.ceil((north - south) * scale + 2 * MARGIN) };
}

/** A shape as SVG writes paths, to a tenth of a pixel. */
export const pathOf = ({ polygons }: Shape): string =>
  polygons.flat().map((ring) => `M${ring.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L')}Z`).join('');
