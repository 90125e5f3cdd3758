// What a map of districts shows and where its parts stand, without a word about how they are drawn.

import type { Measure } from './measure';
import { project, type Outline, type Projected, type Shape } from './outlines';

/** How much a shade says: enough people, 仅供参考, or no number at all. */
export type MapMark = 'sure' | 'rough' | 'blank';

export interface MapCell {
  code: string;
  name: string;
  /** The share, or the sign that there is none. */
  value: string;
  /** A few words, such as 高于全市 or 仅供参考. */
  remark: string;
  /** Lines of the hover box. */
  hover: string;
  step: number;
  mark: MapMark;
}

export interface MapKey {
  label: string;
  step: number;
  mark: MapMark;
}

export interface MapSpec {
  cells: MapCell[];
  keys: MapKey[];
  /** The districts' own shapes where somebody supplied them; tiles else. */
  outlines: Outline[] | null;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const TILE_PX = 68;
const TILE_MIN_PX = 88;
/** Wider than high, as pages are. */
const SHAPE = 1.6;
const GAP_PX = 4;
const KEY_PX = 24;
export const SWATCH_PX = 20;
const KEY_GAP_PX = 18;
const KEYS_TOP_PX = 12;

/** As many columns as the width has room for, and no more than make the grid a little wider than high. */
export const tileColumns = (tiles: number, width: number): number =>
  Math.min(tiles, Math.max(1, Math.min(Math.floor(width / TILE_MIN_PX), Math.ceil(Math.sqrt(tiles * SHAPE)))));

/** Tiles from left to right and top to bottom. */
export function tileBoxes(tiles: number, width: number): Box[] {
  const columns = tileColumns(tiles, width);
  const step = width / columns;
  return Array.from({ length: tiles }, (_, place) => ({
    x: (place % columns) * step + GAP_PX / 2,
    y: Math.floor(place / columns) * TILE_PX + GAP_PX / 2,
    width: step - GAP_PX,
    height: TILE_PX - GAP_PX,
  }));
}

export interface Legend {
  places: { x: number; y: number }[];
  height: number;
}

/** The legend's entries side by side, in as many lines as they need. */
export function legend(keys: readonly MapKey[], width: number, top: number, measure: Measure): Legend {
  let x = 0;
  let line = 0;
  const places = keys.map((key) => {
    const wide = SWATCH_PX + 6 + measure(key.label);
    if (x > 0 && x + wide > width) {
      x = 0;
      line += 1;
    }
    const place = { x, y: top + KEYS_TOP_PX + line * KEY_PX + KEY_PX / 2 };
    x += wide + KEY_GAP_PX;
    return place;
  });
  return { places, height: keys.length === 0 ? 0 : KEYS_TOP_PX + (line + 1) * KEY_PX };
}

export interface MapLayout {
  /** A tile a cell; none where there are shapes. */
  boxes: Box[];
  shapes: Shape[];
  legend: Legend;
  height: number;
}

const tilesHeight = (tiles: number, width: number): number => Math.ceil(tiles / Math.max(1, tileColumns(tiles, width))) * TILE_PX;

/** The last one of each map: height and picture ask for the same, and outlines may have a hundred thousand points. */
const known = new WeakMap<MapSpec, { width: number; layout: MapLayout }>();

export function mapLayout(spec: MapSpec, width: number, measure: Measure): MapLayout {
  const before = known.get(spec);
  if (before?.width === width) return before.layout;
  const { shapes, height }: Projected = spec.outlines ? project(spec.outlines, width) : { shapes: [], height: tilesHeight(spec.cells.length, width) };
  const keys = legend(spec.keys, width, height, measure);
  const layout = { boxes: spec.outlines ? [] : tileBoxes(spec.cells.length, width), shapes, legend: keys, height: height + keys.height };
  known.set(spec, { width, layout });
  return layout;
}

export interface Stroke {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** Strokes from the upper left to the lower right, cut at the edges of the box. */
export const backHatching = (box: Box, distance: number): Stroke[] =>
  hatching(box, distance).map(({ x1, y1, x2, y2 }) => ({ x1: 2 * box.x + box.width - x1, y1, x2: 2 * box.x + box.width - x2, y2 }));

/** Strokes from the lower left to the upper right, cut at the edges of the box. */
export function hatching({ x, y, width, height }: Box, distance: number): Stroke[] {
  const strokes: Stroke[] = [];
  for (let sum = distance; sum < width + height; sum += distance) {
    const left = Math.max(0, sum - height);
    const right = Math.min(width, sum);
    strokes.push({ x1: x + left, y1: y + sum - left, x2: x + right, y2: y + sum - right });
  }
  return strokes;
}
