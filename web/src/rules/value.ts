import { inCodePoints } from './expression';
import type { Item, MissingKind } from './form';

/** What a person gave to an item, in the type of the item. */
export type Given =
  | { readonly choice: string }
  | { readonly choices: readonly string[] }
  | { readonly number: number }
  | { readonly text: string }
  | { readonly matrix: ReadonlyMap<string, string> }
  | { readonly missing: MissingKind };

export type FaultCode =
  | 'wrong-type'
  | 'out-of-range'
  | 'wrong-questionnaire'
  | 'no-consent'
  | 'unknown-item'
  | 'impossible-code'
  | 'duplicate-answer'
  | 'required-missing'
  | 'missing-kind-not-allowed'
  | 'hard-check-failed'
  | 'inconsistent-selection';

/** One message in the two languages of the screens. */
export interface Message {
  readonly zh: string;
  readonly en: string;
}

/** A value that cannot stand. */
export class Wrong extends Error {
  constructor(
    readonly code: FaultCode,
    readonly words: Message,
  ) {
    super(words.en);
  }
}

/** Numbers beyond this are not exact as doubles. */
const NUMBER_MAX = 1e15;

/** The value in the type of its item, or `Wrong`. */
export function read(item: Item, value: unknown): Given {
  switch (item.type) {
    case 'single_choice':
    case 'true_false':
      return { choice: optionCode(item, value) };
    case 'multiple_choice':
      return { choices: optionCodes(item, value) };
    case 'number':
      return { number: readNumber(item, value) };
    case 'text':
      return { text: readText(item, value) };
    case 'date':
      return { text: readDate(item, value) };
    case 'matrix':
      return { matrix: readMatrix(item, value) };
  }
}

const wrongType = (zh: string, en: string): Wrong => new Wrong('wrong-type', { zh: `应为${zh}`, en: `expected ${en}` });
const outOfRange = (zh: string, en: string): Wrong => new Wrong('out-of-range', { zh, en });
const start = (text: string): string => Array.from(text).slice(0, 40).join('');

function optionCode(item: Item, value: unknown): string {
  if (typeof value !== 'string') throw wrongType('一个选项代码', 'one option code');
  if (item.options?.some((option) => option.code === value)) return value;
  const shown = start(value);
  throw new Wrong('impossible-code', { zh: `没有代码为“${shown}”的选项`, en: `there is no option "${shown}"` });
}

function optionCodes(item: Item, value: unknown): string[] {
  if (!Array.isArray(value)) throw wrongType('选项代码的列表', 'a list of option codes');
  const options = item.options ?? [];
  const chosen = new Set<string>();
  for (const one of value) {
    const code = optionCode(item, one);
    if (chosen.has(code))
      throw new Wrong('impossible-code', { zh: `选项“${code}”重复`, en: `the option "${code}" stands twice` });
    chosen.add(code);
  }
  const exclusive = options.find((option) => option.exclusive === true && chosen.has(option.code));
  if (exclusive && chosen.size > 1)
    throw new Wrong('impossible-code', {
      zh: `选项“${exclusive.code}”不能与其他选项同选`,
      en: `the option "${exclusive.code}" excludes the others`,
    });
  const [min, max] = [item.choices_min ?? 1, item.choices_max ?? options.length];
  if (chosen.size < min || chosen.size > max)
    throw outOfRange(`应选 ${min} 至 ${max} 项`, `choose ${min} to ${max} options`);
  return options.filter((option) => chosen.has(option.code)).map((option) => option.code);
}

function readNumber(item: Item, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType('数字', 'a number');
  if (item.integer === true && !Number.isInteger(value)) throw wrongType('整数', 'a whole number');
  const [min, max] = [item.min ?? -NUMBER_MAX, item.max ?? NUMBER_MAX];
  if (value < min || value > max)
    throw outOfRange(`应在 ${min} 至 ${max} 之间`, `must be between ${min} and ${max}`);
  // A minus zero becomes zero.
  return value + 0;
}

function readText(item: Item, value: unknown): string {
  if (typeof value !== 'string') throw wrongType('文本', 'a text');
  const max = item.length_max ?? Number.MAX_SAFE_INTEGER;
  // Blank by Unicode's property, as the server has it: JavaScript's trim differs in two signs.
  if (/^\p{White_Space}*$/u.test(value) || Array.from(value).length > max)
    throw outOfRange(`应为 1 至 ${max} 个字`, `must have 1 to ${max} characters`);
  return value;
}

/** Whether a text is a day of the calendar as YYYY-MM-DD. */
export function isDay(text: string): boolean {
  const [year, month, day] = (/^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []).slice(1).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day >= 1 && day <= (days[month - 1] ?? 0);
}

function readDate(item: Item, value: unknown): string {
  if (typeof value !== 'string' || !isDay(value)) throw wrongType('形如 2025-03-08 的日期', 'a day as YYYY-MM-DD');
  const [min, max] = [item.date_min ?? '', item.date_max ?? ''];
  // Days in this form sort as texts.
  if ((min !== '' && value < min) || (max !== '' && value > max))
    throw outOfRange(`应在 ${min} 至 ${max} 之间`, `must be between ${min} and ${max}`);
  return value;
}

function readMatrix(item: Item, value: unknown): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType('以行代码为键的对象', 'an object by row code');
  const rows = new Map<string, string>();
  // In the order in which the server reads the keys, so that both name the same first fault.
  for (const [row, code] of Object.entries(value).sort(([a], [b]) => inCodePoints(a, b))) {
    if (!item.rows?.some((one) => one.code === row)) {
      const shown = start(row);
      throw new Wrong('impossible-code', { zh: `没有代码为“${shown}”的行`, en: `there is no row "${shown}"` });
    }
    rows.set(row, optionCode(item, code));
  }
  const leftOut = item.rows?.find((row) => !rows.has(row.code));
  if (leftOut && item.required)
    throw new Wrong('required-missing', {
      zh: `第“${leftOut.code}”行没有回答`,
      en: `row "${leftOut.code}" has no answer`,
    });
  return rows;
}
