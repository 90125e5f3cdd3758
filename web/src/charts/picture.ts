// A chart as a file that stands alone: title and subtitle above it, light colours written in.

import { CHART_FONT } from './measure';

const MARGIN = 24;
const SCALE = 2;
/** The tokens that charts are drawn with. */
const NAMES = [
  '--ink', '--ink-2', '--surface', '--band', '--accent', '--grid', '--caution', '--caution-line', '--line-1', '--line-2',
  '--heat-0', '--heat-1', '--heat-2', '--heat-3', '--heat-4',
] as const;

export interface Picture {
  svg: string;
  width: number;
  height: number;
}

interface Line {
  text: string;
  size: number;
  weight: number;
  colour: string;
}

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Breaks at any character: Chinese has no spaces. Widths in half characters are good enough for two lines of text. */
export function broken(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  let current = '';
  let used = 0;
  for (const char of text) {
    const wide = (char.codePointAt(0) ?? 0) > 0x2e7f ? size : size * 0.56;
    if (used + wide > width && current !== '') {
      lines.push(current.trimEnd());
      current = '';
      used = 0;
    }
    current += current === '' ? char.trimStart() : char;
    used += wide;
  }
  return current === '' ? lines : [...lines, current];
}

/** `var(--name)` becomes the value of the light theme, whatever theme the page shows. */
export function withColours(svg: string, valueOf: (name: string) => string): string {
  return svg.replaceAll(/var\((--[a-z0-9-]+)\)/g, (_, name: string) => valueOf(name));
}

function lightValues(): (name: string) => string {
  const root = document.documentElement;
  const shown = root.dataset['theme'];
  root.dataset['theme'] = 'light';
  const style = getComputedStyle(root);
  const cache = new Map<string, string>();
  for (const name of NAMES)
    cache.set(name, style.getPropertyValue(name).trim());
  if (shown === undefined) delete root.dataset['theme'];
  else root.dataset['theme'] = shown;
  return (name) => cache.get(name) ?? '#000';
}

export function picture(chart: { text: string; width: number; height: number }, title: string, notes: string[]): Picture {
  const width = chart.width + 2 * MARGIN;
  const head: Line[] = [
    ...broken(title, chart.width, 18).map((text) => ({ text, size: 18, weight: 600, colour: 'var(--ink)' })),
    ...notes.flatMap((note) => broken(note, chart.width, 13)).map((text) => ({ text, size: 13, weight: 400, colour: 'var(--ink-2)' })),
  ];
  let y = MARGIN;
  const texts = head.map((line) => {
    y += line.size * 1.5;
    return `<text x="${MARGIN}" y="${y}" font-family="${escapeXml(CHART_FONT)}" font-size="${line.size}" font-weight="${line.weight}" fill="${line.colour}">${escapeXml(line.text)}</text>`;
  });
  const top = y + 12;
  const height = top + chart.height + MARGIN;
  const body = chart.text.replace(/^<svg /, `<svg x="${MARGIN}" y="${top}" `);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="var(--surface)"/>${texts.join('')}${body}</svg>`;
  return { svg: withColours(svg, lightValues()), width, height };
}

export const svgBlob = (made: Picture): Blob => new Blob([made.svg], { type: 'image/svg+xml;charset=utf-8' });

/** Through an image and a canvas: the browser's own fonts, twice the size for print. */
export async function pngBlob(made: Picture): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(made.svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = made.width * SCALE;
  canvas.height = made.height * SCALE;
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the canvas gave no picture'))), 'image/png');
  });
}
