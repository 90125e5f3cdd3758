// What the pages say about a table: its order, which domains differ from the whole, and who is first and last.

import type { Results, Row, Table, Target, TargetVerdict } from '../api/types';

/** A row that has a number and its interval. */
export type Estimated = Row & { estimate: number; ci: [number, number] };

export type Standing = 'above' | 'below' | 'unclear' | 'unknown';

export const isEstimated = (row: Row): row is Estimated => row.estimate !== null && row.ci !== null;

export const tableOf = (results: Results, id: string): Table | undefined => results.tables.find((t) => t.id === id);

/** The row of the whole place. */
export const wholeOf = (results: Results): Row | undefined => tableOf(results, 'city')?.rows[0];

export const oneWayTables = (results: Results): Table[] =>
  results.tables.filter((table) => table.by.length === 1 && table.id !== 'district');

/**
 * Against the whole's estimate: a domain whose interval holds it cannot be told from the whole. This reads the interval and is
 * not a test of the difference; the page says so.
 */
export function standing(row: Row, whole: Row | undefined): Standing {
  if (!isEstimated(row)) return 'unknown';
  if (!whole || whole.estimate === null) return 'unclear';
  if (row.ci[0] > whole.estimate) return 'above';
  if (row.ci[1] < whole.estimate) return 'below';
  return 'unclear';
}

const codes = (row: Row): string => Object.values(row.domain).join('/');

/** Highest first; equal estimates by code; rows without a number last. The table itself stays in the order of codes. */
export function ranked(rows: readonly Row[]): Row[] {
  return rows.toSorted((a, b) => {
    const difference = (b.estimate ?? -1) - (a.estimate ?? -1);
    if (difference !== 0) return difference;
    return codes(a) < codes(b) ? -1 : 1;
  });
}

export function standings(rows: readonly Row[], whole: Row | undefined): Record<Standing, number> {
  const tally: Record<Standing, number> = { above: 0, below: 0, unclear: 0, unknown: 0 };
  for (const row of rows) tally[standing(row, whole)] += 1;
  return tally;
}

export interface Extremes {
  highest: Estimated;
  lowest: Estimated;
  difference: number;
  overlap: boolean;
}

/** The widest gap of a table; nothing when fewer than two rows have a number. */
export function extremes(rows: readonly Row[]): Extremes | null {
  const known = ranked(rows).filter(isEstimated);
  const highest = known.at(0);
  const lowest = known.at(-1);
  if (!highest || !lowest || highest === lowest) return null;
  return {
    highest,
    lowest,
    difference: highest.estimate - lowest.estimate,
    overlap: lowest.ci[1] >= highest.ci[0],
  };
}

export const verdictFor = (row: Row, target: string): TargetVerdict | null =>
  row.verdicts.find((verdict) => verdict.target === target) ?? null;

/** The targets set for the place as a whole. */
export const ownTargets = (results: Results): Target[] =>
  results.targets.filter((target) => target.region === results.survey.region);

/** The targets that judge some of these rows: a column of dashes tells nothing. */
export const judgedTargets = (results: Results, rows: readonly Row[]): Target[] =>
  results.targets.filter((target) => rows.some((row) => verdictFor(row, target.id)));

/** The distance of the marks on a share axis that reaches `end`. */
export const axisStep = (end: number): number => (end > 0.5 ? 0.2 : end > 0.25 ? 0.1 : 0.05);

/** The right end of a share axis: the next whole mark above everything drawn. */
export function axisEnd(rows: readonly Row[], marks: readonly number[]): number {
  const highest = Math.max(0.05, ...marks, ...rows.map((row) => row.ci?.[1] ?? row.estimate ?? 0));
  const step = axisStep(highest);
  return Math.min(1, Math.round(Math.ceil(highest / step - 1e-9) * step * 100) / 100);
}

/** The badge 示例数据 says it already: the title need not say it twice. */
export function displayTitle(survey: Results['survey']): string {
  return survey.example ? survey.title.replace(/（示例数据）$/, '') : survey.title;
}
