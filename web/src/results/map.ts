// The districts as a map: the finding, the cells, and what their shades and marks mean.

import type { ComposerTranslation } from 'vue-i18n';
import type { MapFile, Results, Row, Table } from '../api/types';
import type { Credit } from '../charts/FigureFrame.vue';
import type { MapCell, MapKey, MapMark, MapSpec } from '../charts/map';
import type { Outline } from '../charts/outlines';
import { say } from '../i18n';
import { ABSENT, interval, setShare, share, shareOf } from './format';
import { HEAT_STEPS, heatStep, isRough } from './heat';
import { extremes, standing, wholeOf } from './reading';
import { hoverLines } from './words';

type Say = ComposerTranslation;

export const markOf = (row: Row): MapMark => {
  if (row.estimate === null) return 'blank';
  return isRough(row) ? 'rough' : 'sure';
};

/** Codes of twelve digits name a district by six and end in zeros. */
const significant = (code: string): string => (code.length === 12 && code.endsWith('000000') ? code.slice(0, 6) : code);

const codeOf = (row: Row): string => significant(row.domain['district'] ?? '');

const nameOf = (row: Row): string => (row.labels[0] ? say(row.labels[0]) : ABSENT);

/** The words of a cell: a caution first, then where the district stands. */
export function remarkOf(row: Row, whole: Row | undefined, t: Say): string {
  if (row.withheld) return t('map.withheld');
  if (row.estimate === null) return t('heat.none');
  if (isRough(row)) return t('map.rough');
  const where = standing(row, whole);
  return where === 'above' || where === 'below' ? t(`map.${where}`) : '';
}

function cell(row: Row, results: Results, t: Say): MapCell {
  const name = nameOf(row);
  const remark = remarkOf(row, wholeOf(results), t);
  return {
    code: codeOf(row),
    name,
    value: shareOf(row),
    remark,
    hover: [name, ...hoverLines(row, results.method.level, t), ...(row.estimate === null || remark === '' ? [] : [remark])].join('\n'),
    step: heatStep(row),
    mark: markOf(row),
  };
}

/** The shades, and of the marks those that are there. */
function keys(rows: readonly Row[], isTiles: boolean, t: Say): MapKey[] {
  const marks = new Set(rows.map(markOf));
  return [
    ...HEAT_STEPS.map((from, step): MapKey => ({ label: t('heat.from', { share: setShare(from) }), step, mark: 'sure' })),
    ...(marks.has('rough') ? [{ label: t('map.rough_means'), step: 0, mark: 'rough' as const }] : []),
    ...(marks.has('blank') ? [{ label: t(isTiles ? 'map.blank_means' : 'map.crossed_means'), step: 0, mark: 'blank' as const }] : []),
  ];
}

/** The shapes of the districts that the table has; none where the file has no shape of any. */
function outlinesOf(map: MapFile | null, table: Table): Outline[] | null {
  const codes = new Set(table.rows.map(codeOf));
  const all = (map?.features ?? []).map(({ properties, geometry }) => ({ code: significant(properties.region), polygons: geometry.coordinates }));
  const drawn = all.filter(({ code }) => codes.has(code));
  return drawn.length > 0 ? drawn : null;
}

export function mapSpec(results: Results, table: Table, map: MapFile | null, t: Say): MapSpec {
  const outlines = outlinesOf(map, table);
  return { cells: table.rows.map((row) => cell(row, results, t)), keys: keys(table.rows, outlines === null, t), outlines };
}

/** What stands below the picture: how to read it, and what it does not show. */
export function mapNote(spec: MapSpec, map: MapFile | null, t: Say): string {
  if (!spec.outlines) return t('map.tiles_note') + t('map.shades_note');
  const shown = new Set(spec.outlines.map((outline) => outline.code));
  const without = spec.cells.filter((one) => !shown.has(one.code)).map((one) => one.name);
  return [
    t('map.shades_note') + t('map.small_note'),
    without.length > 0 ? t('map.without', { names: without.join(t('headline.list')) }) : '',
    map?.review_number ? '' : t('map.no_review_number'),
  ].join('');
}

/** Whose map it is, in their own words. */
export function mapCredits(spec: MapSpec, map: MapFile | null, t: Say): Credit[] {
  if (!spec.outlines) return [];
  return [
    ...(map?.source ? [{ label: t('map.source'), text: map.source }] : []),
    ...(map?.review_number ? [{ label: t('map.review_number'), text: map.review_number }] : []),
  ];
}

/** Highest and lowest are told of districts whose numbers carry a statement only. */
export function mapFinding(table: Table, t: Say): string {
  const of = (mark: MapMark): Row[] => table.rows.filter((row) => markOf(row) === mark);
  const [gap, rough, blank] = [extremes(of('sure')), of('rough').length, of('blank').length];
  const told = gap
    ? t(rough > 0 ? 'map.highest_sure' : 'map.highest', {
        high: nameOf(gap.highest), high_value: share(gap.highest.estimate), low: nameOf(gap.lowest), low_value: share(gap.lowest.estimate),
      })
    : t('map.few');
  const counts = [...(rough > 0 ? [t('map.count_rough', { n: rough })] : []), ...(blank > 0 ? [t('map.count_blank', { n: blank })] : [])];
  return [told, ...counts].join(t('headline.join'));
}

/** The rows of the table below the map: name, share, interval, words. */
export const mapRows = (results: Results, table: Table, t: Say): string[][] =>
  table.rows.map((row) => {
    const remark = remarkOf(row, wholeOf(results), t);
    const reason = row.not_estimable ? say(row.not_estimable) : '';
    const words = [remark, reason].filter((text) => text !== '').join(t('chart.join'));
    return [nameOf(row), shareOf(row), interval(row.ci), words === '' ? ABSENT : words];
  });
