// Numbers as the official releases write them: shares with two decimals (in what is open to everybody as many as were
// released), differences in percentage points, counts with thin separators. A number that is not there is a dash, never a zero.

export const ABSENT = '–';
/** Stands where a number is withheld so that nobody can be told from it. */
export const WITHHELD = '✱';
const THIN = '\u202f';

/** Decimals of shares and percentage points. */
const USUAL_DECIMALS = 2;
let percentDecimals = USUAL_DECIMALS;

/** What is released to everybody was rounded on purpose: a zero behind it would claim what nobody was told. */
export function writePercentsWith(decimals: number = USUAL_DECIMALS): void {
  percentDecimals = decimals;
}

/** `toFixed` without a minus before a zero, and with a true minus sign. */
function fixed(value: number, digits: number): string {
  const written = Math.abs(value).toFixed(digits);
  return value < 0 && Number(written) !== 0 ? `−${written}` : written;
}

const known = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

export function share(value: number | null | undefined, decimals = percentDecimals): string {
  return known(value) ? `${fixed(value * 100, decimals)}%` : ABSENT;
}

/** A share that others published: as they wrote it, whatever ours are rounded to. */
export const publishedShare = (value: number | null | undefined): string => share(value, USUAL_DECIMALS);

/** The number alone; the words 个百分点 or "percentage points" are the message's. */
export function points(difference: number | null | undefined): string {
  return known(difference) ? fixed(difference * 100, percentDecimals) : ABSENT;
}

/** A difference with its sign in front; the unit stands in the column's head. */
export function signedPoints(difference: number | null | undefined): string {
  const written = points(difference);
  return known(difference) && Number((difference * 100).toFixed(percentDecimals)) > 0 ? `+${written}` : written;
}

export function pointsInterval(ci: readonly [number, number] | null | undefined): string {
  return ci && known(ci[0]) && known(ci[1]) ? `${signedPoints(ci[0])} ~ ${signedPoints(ci[1])}` : ABSENT;
}

/** A p-value with three decimals; below a thousandth it says so. */
export function probability(p: number | null | undefined): string {
  if (!known(p)) return ABSENT;
  return p < 0.001 ? '<0.001' : fixed(p, 3);
}

export function interval(ci: readonly [number, number] | null | undefined): string {
  return ci && known(ci[0]) && known(ci[1]) ? `${share(ci[0])}–${share(ci[1])}` : ABSENT;
}

/** A target or a level as it was set: 15%, 15.5%, 95%. */
export function setShare(value: number | null | undefined): string {
  return known(value) ? `${Number((value * 100).toFixed(2))}%` : ABSENT;
}

export function count(value: number | null | undefined): string {
  if (!known(value)) return ABSENT;
  return fixed(value, 0).replaceAll(/\B(?=(\d{3})+$)/g, THIN);
}

export function decimal(value: number | null | undefined, digits = 2): string {
  if (!known(value)) return ABSENT;
  const [whole = '', part] = fixed(value, digits).split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, THIN);
  return part === undefined ? grouped : `${grouped}.${part}`;
}

/** A base: the number, or in a release its band. */
export const base = (row: { n: number | null; base?: string }): string => (row.base ? row.base.replace('-', '–') : count(row.n));

/** A share, or the mark that it is withheld. */
export const shareOf = (row: { estimate: number | null; withheld?: string }): string =>
  row.withheld ? WITHHELD : share(row.estimate);

/** Enough of a digest to compare by eye; the whole stands in the method section. */
export const shortDigest = (digest: string): string => digest.slice(0, 12);
