// Sentences, chart contents and the file of the waves of one place.

import type { ComposerTranslation } from 'vue-i18n';
import type { Compared, Difference, Series, TargetPath, Wave, WaveChange } from '../api/types';
import type { TrendSpec } from '../charts/trend';
import { say } from '../i18n';
import { ABSENT, WITHHELD, points, pointsInterval, setShare, share, signedPoints } from './format';

type Say = ComposerTranslation;

/** From the first wave to the last. */
export const longest = (series: Series): WaveChange | null =>
  series.changes.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0] ?? null;

/** What the interval of a difference lets one say. */
function confirmed(of: Compared, words: { up: string; down: string; open: string }, t: Say): string {
  if (!of.ci) return t('trend.no_interval');
  if (of.ci[0] > 0) return t(words.up);
  return t(of.ci[1] < 0 ? words.down : words.open);
}

export function trendHeadline(series: Series, t: Say): string {
  const last = series.waves.at(-1);
  const change = longest(series);
  const first = series.waves.find((wave) => wave.year === change?.from);
  if (!last || !change || !first) return t('trend.one_wave', { year: last?.year ?? ABSENT, share: share(last?.whole.estimate) });
  return t('trend.headline', {
    from: first.year, to: last.year, earlier: share(first.whole.estimate), later: share(last.whole.estimate),
    change: signedPoints(change.whole.estimate), interval: pointsInterval(change.whole.ci), level: setShare(series.level),
    reading: confirmed(change.whole, { up: 'trend.rose', down: 'trend.fell', open: 'trend.unclear' }, t),
  });
}

export function targetSentence(path: TargetPath, series: Series, t: Say): string {
  const values = { target: setShare(path.value), year: path.year };
  if (path.distance === null) return t('trend.target_unknown', values);
  const away = path.distance > 0
    ? t('trend.target_short', { ...values, distance: points(path.distance) })
    : t('trend.target_above', { ...values, distance: points(-path.distance) });
  const next = path.needed_a_year !== null && path.distance > 0
    ? t('trend.target_needed', { years: path.years_left ?? 0, points: points(path.needed_a_year) })
    : '';
  const change = longest(series);
  const pace = path.planned_a_year !== null && change && change.whole.estimate !== null
    ? t('trend.target_pace', { from: change.from, planned: points(path.planned_a_year), actual: points(change.whole.estimate / (change.to - change.from)) })
    : '';
  return away + next + pace + t('headline.end');
}

const gapOf = (wave: Wave | undefined, variable: string): Difference | undefined =>
  wave?.gaps.find((gap) => gap.variable === variable);

export function gapFinding(series: Series, variable: string, t: Say): string {
  const last = series.waves.at(-1);
  const now = gapOf(last, variable);
  const change = longest(series);
  const then = gapOf(series.waves.find((wave) => wave.year === change?.from), variable);
  const of = change?.gaps.find((gap) => gap.variable === variable);
  if (!now) return ABSENT;
  const names = { first: say(now.first.label), second: say(now.second.label) };
  if (!change || !then || !of) return t('trend.gap_one', { ...names, gap: signedPoints(now.estimate), interval: pointsInterval(now.ci) });
  return t('trend.gap', {
    ...names, from: change.from, to: change.to, earlier: signedPoints(then.estimate), later: signedPoints(now.estimate),
    change: signedPoints(of.estimate), interval: pointsInterval(of.ci), level: setShare(series.level),
    reading: confirmed(of, { up: 'trend.gap_wider', down: 'trend.gap_narrower', open: 'trend.gap_unclear' }, t),
  });
}

const point = (wave: Wave, row: Wave['whole'] | undefined) =>
  row && row.estimate !== null
    ? [{ year: wave.year, share: row.estimate, low: row.ci?.[0] ?? null, high: row.ci?.[1] ?? null }]
    : [];

/** The place itself, its targets, and what was published for the whole country in the same years. */
export function wholeSpec(series: Series, t: Say): TrendSpec {
  const first = series.waves[0];
  const from = first && first.whole.estimate !== null ? { year: first.year, share: first.whole.estimate } : null;
  const until = Math.max(...series.waves.map((wave) => wave.year), ...series.targets.map((target) => target.year));
  const shown = series.national.filter(({ year }) => first && year >= first.year - 1 && year <= until);
  return {
    lines: [
      { id: 'published', name: t('trend.national'), kind: 'published', points: shown.map(({ year, share: value }) => ({ year, share: value, low: null, high: null })) },
      { id: 'whole', name: series.place, kind: 'first', points: series.waves.flatMap((wave) => point(wave, wave.whole)) },
    ],
    paths: series.targets.map((target) => ({
      id: target.id,
      name: t('trend.target_label', { target: setShare(target.value) }),
      from: from && target.year > from.year ? from : null,
      to: { year: target.year, share: target.value },
    })),
  };
}

/** The variables with two groups, 城乡 first: narrowing this gap is what the plans ask for. */
export const gapVariables = (series: Series): Difference[] =>
  (series.waves.at(-1)?.gaps ?? []).toSorted((a, b) => Number(b.variable === 'residence') - Number(a.variable === 'residence'));

export function gapSpec(series: Series, gap: Difference): TrendSpec {
  const line = (level: Difference['first'], kind: 'first' | 'second') => ({
    id: level.code,
    name: say(level.label),
    kind,
    points: series.waves.flatMap((wave) => point(wave, wave.groups.find((row) => row.domain[gap.variable] === level.code))),
  });
  return { lines: [line(gap.first, 'first'), line(gap.second, 'second')], paths: [] };
}

const field = (value: string | number | null | undefined): string => (value === null || value === undefined ? '' : String(value));

const csvText = (lines: (string | number | null | undefined)[][]): string =>
  `\ufeff${lines.map((line) => line.map(field).join(',')).join('\r\n')}\r\n`;

/** The waves at full precision, then what others published. */
export const wholeCsv = (series: Series): string =>
  csvText([
    ['source', 'year', 'run', 'status', 'n', 'estimate', 'se', 'ci_low', 'ci_high'],
    ...series.waves.map(({ year, run, status, whole }) =>
      ['wave', year, run, status, whole.base ?? whole.n, whole.withheld ? WITHHELD : whole.estimate, whole.se, whole.ci?.[0], whole.ci?.[1]]),
    ...series.national.map(({ year, share: value }) => ['national', year, '', '', '', value, '', '', '']),
  ]);

export const gapCsv = (series: Series, variable: string): string =>
  csvText([
    ['year', 'run', 'first', 'second', 'gap', 'se', 'ci_low', 'ci_high'],
    ...series.waves.flatMap((wave) => {
      const gap = gapOf(wave, variable);
      return gap ? [[wave.year, wave.run, gap.first.code, gap.second.code, gap.estimate, gap.se, gap.ci?.[0], gap.ci?.[1]]] : [];
    }),
  ]);
