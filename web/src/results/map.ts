// The districts as a map: the finding, the cells, and what their shades and marks mean.

import type { ComposerTranslation } from 'vue-i18n';
import type { Results, Row, Table } from '../api/types';
import type { MapCell, MapKey, MapMark, MapSpec } from '../charts/map';
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
    code: row.domain['district'] ?? '',
    name,
    value: shareOf(row),
    remark,
    hover: [name, ...hoverLines(row, results.method.level, t), ...(row.estimate === null || remark === '' ? [] : [remark])].join('\n'),
    step: heatStep(row),
    mark: markOf(row),
  };
}

/** The shades, and of the marks those that are there. */
function keys(rows: readonly Row[], t: Say): MapKey[] {
  const marks = new Set(rows.map(markOf));
  return [
    ...HEAT_STEPS.map((from, step): MapKey => ({ label: t('heat.from', { share: setShare(from) }), step, mark: 'sure' })),
    ...(marks.has('rough') ? [{ label: t('map.rough_means'), step: 0, mark: 'rough' as const }] : []),
    ...(marks.has('blank') ? [{ label: t('map.blank_means'), step: 0, mark: 'blank' as const }] : []),
  ];
}

export const mapSpec = (results: Results, table: Table, t: Say): MapSpec => ({
  cells: table.rows.map((row) => cell(row, results, t)),
  keys: keys(table.rows, t),
});

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
