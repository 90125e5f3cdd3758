import type { Item } from '../rules/form';
import { i18n, say } from './look';
import type { SentAnswer } from './types';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function option(item: Item, code: unknown): string {
  const found = item.options?.find((one) => one.code === String(code));
  return found ? say(found.label) : String(code);
}

/** An answer in the words that were read aloud: option labels, rows of a matrix, or why there is none. */
export function answerWords(item: Item | undefined, answer: Pick<SentAnswer, 'v' | 'm'>): string {
  const { t } = i18n.global;
  if (answer.m !== undefined) return t(`missing.${answer.m}`);
  const value = answer.v;
  if (!item) return typeof value === 'string' ? value : JSON.stringify(value);
  if (item.type === 'matrix' && isRecord(value))
    return (item.rows ?? []).map((row) => `${say(row.label)}${t('desk.colon')}${row.code in value ? option(item, value[row.code]) : '–'}`).join(t('desk.semicolon'));
  if (Array.isArray(value)) return value.map((code) => option(item, code)).join(t('desk.comma'));
  if (['single_choice', 'true_false', 'multiple_choice'].includes(item.type)) return option(item, value);
  return String(value);
}

/** One side of a difference: an answer as it was sent, or another field as it stands. */
export function sideWords(item: Item | undefined, side: unknown): string {
  if (side === null || side === undefined) return i18n.global.t('missing.absent');
  if (isRecord(side) && ('v' in side || 'm' in side)) return answerWords(item, side as Pick<SentAnswer, 'v' | 'm'>);
  return item ? answerWords(item, { v: side }) : typeof side === 'string' ? side : JSON.stringify(side);
}
