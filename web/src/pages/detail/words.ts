// Sentences and chart contents about the score and its items.

import type { ComposerTranslation } from 'vue-i18n';
import type { ItemStatistics, PointsMean, Results, Row } from '../../api/types';
import type { IntervalRow, IntervalSpec } from '../../charts/spec';
import { say } from '../../i18n';
import { ABSENT, count, decimal, interval, setShare, share } from '../../results/format';
import { axisEnd, axisStep } from '../../results/reading';

type Say = ComposerTranslation;

/** Items that sort people badly; a rule of thumb of test construction, written below the table. */
export const DISCRIMINATION_MIN = 0.2;

export const pointsOf = (mean: PointsMean): string => `${decimal(mean.estimate)} / ${decimal(mean.maximum, 0)}`;

export const pointsInterval = (mean: PointsMean): string => (mean.ci ? `${decimal(mean.ci[0])}–${decimal(mean.ci[1])}` : ABSENT);

/** Where people stand: the mean score and the tiers. */
export function headlineOf(results: Results, t: Say): string {
  const mean = results.scores?.mean;
  const tiers = results.scores?.tiers.rows ?? [];
  if (!mean || mean.estimate === null) return t('detail.headline_none');
  const told = tiers.filter((row) => row.estimate !== null).map((row) => t('detail.tier', { tier: nameOf(row), share: share(row.estimate) }));
  const first = t('detail.mean', { mean: decimal(mean.estimate), maximum: decimal(mean.maximum, 0) });
  return [first, ...told].join(t('headline.join')) + t('headline.end');
}

export const nameOf = (row: Row): string => (row.labels[0] ? say(row.labels[0]) : ABSENT);

export function dimensionFinding(dimensions: readonly PointsMean[], t: Say): string {
  const rates = dimensions.flatMap((one) => (one.estimate === null || !one.label ? [] : [{ name: say(one.label), rate: one.estimate / one.maximum }]));
  const best = rates.reduce((a, b) => (b.rate > a.rate ? b : a), rates[0] ?? { name: ABSENT, rate: 0 });
  const worst = rates.reduce((a, b) => (b.rate < a.rate ? b : a), best);
  if (rates.length < 2) return t('detail.dimensions_few');
  return t('detail.dimensions_finding', { best: best.name, best_rate: share(best.rate), worst: worst.name, worst_rate: share(worst.rate) });
}

export function distributionFinding(rows: readonly Row[], t: Say): string {
  const known = rows.filter((row) => row.estimate !== null);
  const first = known[0];
  if (!first) return t('detail.distribution_none');
  const most = known.reduce((a, b) => ((b.estimate ?? 0) > (a.estimate ?? 0) ? b : a), first);
  return t('detail.distribution_finding', { band: nameOf(most), share: share(most.estimate) });
}

export function tierFinding(rows: readonly Row[], t: Say): string {
  return rows.map((row) => t('detail.tier', { tier: nameOf(row), share: share(row.estimate) })).join(t('headline.join'));
}

export const itemName = (item: ItemStatistics, t: Say): string =>
  item.text ? `${item.number}. ${say(item.text)}` : t('detail.item_number', { number: item.number });

export function itemsFinding(items: readonly ItemStatistics[], t: Say): string {
  const known = items.filter((item) => item.right !== null);
  const first = known[0];
  if (!first) return t('detail.items_none');
  const easy = known.reduce((a, b) => ((b.right ?? 0) > (a.right ?? 0) ? b : a), first);
  const hard = known.reduce((a, b) => ((b.right ?? 0) < (a.right ?? 0) ? b : a), first);
  const weak = known.filter((item) => item.discrimination !== null && item.discrimination < DISCRIMINATION_MIN).length;
  return t('detail.items_finding', {
    n: items.length, easy: easy.number, easy_share: share(easy.right), hard: hard.number, hard_share: share(hard.right), weak,
  });
}

function row(name: string, estimate: number | null, ci: readonly [number, number] | null, value: string, more: string[]): IntervalRow {
  return { name, estimate, low: ci?.[0] ?? null, high: ci?.[1] ?? null, value, remark: '', hover: [name, value, ...more].join('\n'), banded: false };
}

/** Shares of everybody, without the lines of whole and targets. */
export function shareSpec(results: Results, rows: readonly Row[], axis: string, t: Say): IntervalSpec {
  const end = axisEnd(rows, []);
  const told = (one: Row): string[] => [t('chart.interval', { level: setShare(results.method.level), interval: interval(one.ci) }), t('chart.people', { n: count(one.n) })];
  return {
    rows: rows.map((one) => row(nameOf(one), one.estimate, one.ci, share(one.estimate), told(one))),
    lines: [],
    end,
    step: axisStep(end),
    names: rows.map(nameOf),
    axis,
  };
}

/** Means as shares of what each dimension gives, so that dimensions of different size share an axis. */
export function dimensionSpec(dimensions: readonly PointsMean[], axis: string, t: Say): IntervalSpec {
  const named = dimensions.map((one) => ({ one, name: one.label ? say(one.label) : ABSENT }));
  const rows = named.map(({ one, name }) => {
    const ci: [number, number] | null = one.ci ? [one.ci[0] / one.maximum, one.ci[1] / one.maximum] : null;
    const rate = one.estimate === null ? null : one.estimate / one.maximum;
    return row(name, rate, ci, share(rate), [t('detail.points', { points: pointsOf(one), interval: pointsInterval(one) })]);
  });
  return { rows, lines: [], end: 1, step: 0.2, names: named.map(({ name }) => name), axis };
}
