// Which crossings the heat map shows, how dark a cell is, and which cells are only a hint.

import type { Results, Row, Table } from '../api/types';

/** Lower ends of the shades: fixed, so that two runs and two groups can be laid side by side. */
export const HEAT_STEPS = [0, 0.05, 0.1, 0.15, 0.25] as const;

/** Fewer effective respondents, or a wider interval, carry no statement about one cell. */
export const EFFECTIVE_N_MIN = 30;
export const WIDTH_MAX = 0.3;

/** The crossings of districts with a group. */
export const heatTables = (results: Results): Table[] =>
  results.tables.filter((table) => table.by.length === 2 && table.by[0] === 'district');

export function heatStep(row: Row | undefined): number {
  const estimate = row?.estimate ?? 0;
  return HEAT_STEPS.findLastIndex((from) => estimate >= from);
}

/** A cell with a number that is 仅供参考: too few effective respondents, no interval, or too wide a one. */
export function isRough(row: Row | undefined): boolean {
  if (!row || row.estimate === null) return false;
  // A release says it itself, by its rules, and has no exact base.
  if (row.base !== undefined) return row.caution === true;
  return row.ci === null || row.effective_n === null || row.effective_n < EFFECTIVE_N_MIN || row.ci[1] - row.ci[0] > WIDTH_MAX;
}
