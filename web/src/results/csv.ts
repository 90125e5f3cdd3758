import type { Row, Target, Text } from '../api/types';
import { WITHHELD } from './format';

const COLUMNS = ['n', 'population', 'estimate', 'se', 'ci_low', 'ci_high', 'df', 'deff', 'effective_n'] as const;

const MODEL = ['model_estimate', 'model_rmse', 'model_ci_low', 'model_ci_high', 'model_share'] as const;

function field(value: string | number | null | undefined): string {
  const written = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
}

/** Lines of cells as a file; the byte-order mark lets office programs open the Chinese labels as they are. */
export function csvText(lines: readonly (readonly (string | number | null | undefined)[])[]): string {
  return `\ufeff${lines.map((line) => line.map(field).join(',')).join('\r\n')}\r\n`;
}

/**
 * The rows of one table at full precision: codes, labels, numbers, one verdict column a target; an absent number is an empty
 * field.
 */
export function tableCsv(by: readonly string[], rows: readonly Row[], targets: readonly Target[], say: (text: Text) => string): string {
  const isRelease = rows.some((row) => row.base !== undefined || row.withheld !== undefined);
  const hasModel = rows.some((row) => row.model);
  const model = (row: Row): (number | undefined)[] =>
    hasModel ? [row.model?.estimate, row.model?.rmse, row.model?.ci[0], row.model?.ci[1], row.model?.model_share] : [];
  const header = [...by, ...by.map((column) => `${column}_label`), ...COLUMNS, ...(hasModel ? MODEL : []), ...(isRelease ? ['caution', 'withheld'] : []), ...targets.map((t) => `verdict_${t.id}`)];
  const lines = rows.map((row) => [
    ...by.map((column) => row.domain[column] ?? ''),
    ...by.map((_, place) => (row.labels[place] ? say(row.labels[place]) : '')),
    row.base ?? row.n, row.population, row.withheld ? WITHHELD : row.estimate, row.se, row.ci?.[0], row.ci?.[1], row.df, row.deff, row.effective_n,
    ...model(row),
    ...(isRelease ? [row.caution ? 1 : 0, row.withheld] : []),
    ...targets.map((target) => row.verdicts.find((v) => v.target === target.id)?.verdict ?? ''),
  ]);
  return csvText([header, ...lines]);
}
