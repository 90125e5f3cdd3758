// Sentences and chart contents made from results: the finding, what it rests on, and the rows as the chart wants them.

import type { ComposerTranslation } from 'vue-i18n';
import type { Results, Row, Table, Verdict } from '../api/types';
import type { IntervalRow, IntervalSpec, MarkLine } from '../charts/spec';
import { say } from '../i18n';
import { ABSENT, base, count, interval, points, setShare, share, shareOf, shortDigest } from './format';
import { axisEnd, axisStep, extremes, isEstimated, ownTargets, ranked, standing, standings, verdictFor, wholeOf } from './reading';

type Say = ComposerTranslation;

const STANDING = { above: 'chart.above', below: 'chart.below', unclear: '', unknown: '' } as const;

/** The verdicts of the targets, equal ones told together. */
function againstTargets(results: Results, whole: Row, t: Say): string[] {
  const told = new Map<Verdict, string[]>();
  for (const target of ownTargets(results)) {
    const verdict = verdictFor(whole, target.id)?.verdict;
    if (verdict) told.set(verdict, [...(told.get(verdict) ?? []), setShare(target.value)]);
  }
  return [...told].map(([verdict, values]) =>
    values.length === 1
      ? t('headline.against', { target: values[0] ?? ABSENT, verdict: t(`verdict.${verdict}`) })
      : t('headline.against_several', { targets: values.join(t('headline.list')), verdict: t(`verdict.${verdict}`) }),
  );
}

/** The first sentence of the page: did we reach the target, and how sure are we? */
export function headline(results: Results, t: Say): string {
  const whole = wholeOf(results);
  if (!whole) return t('headline.share_none') + t('headline.end');
  const place = whole.labels[0] ? say(whole.labels[0]) : results.survey.place;
  if (!isEstimated(whole)) {
    const reason = whole.not_estimable ? say(whole.not_estimable) : ABSENT;
    return t('headline.share_unknown', { place, reason }) + t('headline.end');
  }
  const first = t('headline.share', {
    place,
    estimate: share(whole.estimate),
    level: setShare(results.method.level),
    interval: interval(whole.ci),
  });
  const targets = ownTargets(results).length === 0 ? [t('headline.no_target')] : againstTargets(results, whole, t);
  return [first, ...targets].join(t('headline.join')) + t('headline.end');
}

export function basis(results: Results, run: string, n: number, t: Say): string {
  return t('chart.subtitle', {
    n: count(n),
    profile: say(results.profile.title),
    run: shortDigest(run),
    status: t(`badge.${results.status}`),
  });
}

export function districtFinding(table: Table, whole: Row | undefined, t: Say): string {
  const tally = standings(table.rows, whole);
  const total = table.rows.length;
  if (total > 0 && tally.unclear === total) return t('chart.districts_none_differ', { total });
  const parts = (['above', 'below', 'unclear', 'unknown'] as const)
    .filter((where) => tally[where] > 0)
    .map((where) => t(`chart.count_${where}`, { n: tally[where] }));
  return t('chart.districts', { total, parts: parts.join(t('chart.join')) });
}

const firstName = (row: Row): string => (row.labels[0] ? say(row.labels[0]) : ABSENT);

export function groupFinding(rows: readonly Row[], t: Say): string {
  const gap = extremes(rows);
  if (!gap) return t('chart.group_few');
  return t('chart.group_gap', {
    high: firstName(gap.highest),
    high_value: share(gap.highest.estimate),
    low: firstName(gap.lowest),
    low_value: share(gap.lowest.estimate),
    gap: points(gap.difference),
    overlap: t(gap.overlap ? 'chart.overlap' : 'chart.no_overlap'),
  });
}

const fullName = (row: Row): string => row.labels.map(say).join(' · ');

/** What the hover box of a district or group tells below its name. */
export function hoverLines(row: Row, level: number, t: Say): string[] {
  const reason = row.not_estimable ? say(row.not_estimable) : t('chart.unknown');
  return isEstimated(row)
    ? [share(row.estimate), t('chart.interval', { level: setShare(level), interval: interval(row.ci) }), t('chart.people', { n: base(row) })]
    : [shareOf(row), reason];
}

function chartRow(row: Row, whole: Row | undefined, level: number, marked: boolean, t: Say): IntervalRow {
  const where = standing(row, whole);
  const name = fullName(row);
  const remark = marked ? STANDING[where] : '';
  return {
    name,
    estimate: row.estimate,
    low: row.ci?.[0] ?? null,
    high: row.ci?.[1] ?? null,
    value: shareOf(row),
    remark: remark === '' ? '' : t(remark),
    hover: [name, ...hoverLines(row, level, t)].join('\n'),
    banded: marked && where === 'unclear',
  };
}

function markLines(results: Results, t: Say): MarkLine[] {
  const whole = wholeOf(results);
  const targets = ownTargets(results).map((target): MarkLine => ({ value: target.value, label: say(target.label), kind: 'target' }));
  if (!whole || whole.estimate === null) return targets;
  return [{ value: whole.estimate, label: t('chart.whole', { estimate: share(whole.estimate) }), kind: 'whole' }, ...targets];
}

/** A chart of some rows; charts that stand beside each other hand in the rows of all, so that they share axis and columns. */
export function chartSpec(results: Results, rows: readonly Row[], beside: readonly Row[], marked: boolean, t: Say): IntervalSpec {
  const whole = wholeOf(results);
  const end = axisEnd(beside, [...ownTargets(results).map((target) => target.value), whole?.estimate ?? 0]);
  return {
    rows: (marked ? ranked(rows) : rows).map((row) => chartRow(row, whole, results.method.level, marked, t)),
    lines: markLines(results, t),
    end,
    step: axisStep(end),
    names: beside.map(fullName),
    axis: t('chart.axis'),
  };
}

/** One header a label column: the name of the one-way table of that column. */
export function headersOf(results: Results, table: Table): string[] {
  if (table.by.length === 0) return [say(table.label)];
  return table.by.map((column) => say(results.tables.find((t) => t.by.length === 1 && t.by[0] === column)?.label ?? table.label));
}
