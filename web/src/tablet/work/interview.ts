import { Instrument, type Item, type MissingKind } from '../../rules/form';
import { judge, type Judgement, type SentAnswer } from '../../rules/judge';
import type { Case, Interview, Visit } from './types';

/** The page after the last question. */
export const REVIEW = 'review';

/** Items in the order drawn for this case; an item the draw leaves out is not asked, one it does not know is left away. */
export function orderOf(instrument: Instrument, work: Case): string[] {
  const drawn = work.value.draw?.items.filter((id) => instrument.find(id)) ?? [];
  return drawn.length > 0 ? drawn : instrument.items.map(({ item }) => item.id);
}

/** Options in the order drawn for this case. */
export function optionsOf(item: Item, work: Case): NonNullable<Item['options']> {
  const codes = work.value.draw?.options[item.id];
  const options = item.options ?? [];
  if (!codes) return options;
  const place = (code: string): number => (codes.includes(code) ? codes.indexOf(code) : codes.length);
  return [...options].sort((a, b) => place(a.code) - place(b.code));
}

/** The answers as they would be sent, in the order of the questionnaire; what the draw left out is `not_asked`. */
export function sentAnswers(instrument: Instrument, interview: Interview): SentAnswer[] {
  const asked = new Set(interview.order);
  return instrument.items.flatMap(({ item }): SentAnswer[] => {
    if (!asked.has(item.id)) return [{ i: item.id, m: 'not_asked' }];
    const kept = interview.answers[item.id];
    if (kept === undefined) return [];
    const rest = { n_changes: kept.n_changes, ms: Math.round(kept.ms) };
    return [kept.m === undefined ? { i: item.id, v: kept.v, ...rest } : { i: item.id, m: kept.m, ...rest }];
  });
}

/** Judges the interview as it stands, with the server's own rules. */
export function judged(instrument: Instrument, visit: Visit, interview: Interview): Judgement {
  return judge(instrument, {
    instrument: instrument.form.hash,
    consent: visit.consent,
    selection: visit.selections.at(-1) ?? null,
    roster: visit.roster,
    answers: sentAnswers(instrument, interview),
  });
}

/** The relevant items in the order of asking. */
export function route(instrument: Instrument, interview: Interview, { relevant }: Judgement): string[] {
  return interview.order.filter((id) => relevant[instrument.find(id)?.at ?? -1] === true);
}

export const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0);

/** Sets or clears an answer; says whether anything changed. Clearing never forgets how often it was changed. */
export function setAnswer(interview: Interview, item: string, given: { v: unknown } | { m: MissingKind } | null): boolean {
  const before = interview.answers[item];
  const after = given !== null && 'v' in given && isBlank(given.v) ? null : given;
  if (before === undefined && after === null) return false;
  if (before !== undefined && after !== null && JSON.stringify({ v: before.v, m: before.m }) === JSON.stringify({ v: undefined, ...after }))
    return false;
  const counted = { n_changes: (before?.n_changes ?? -1) + 1, ms: before?.ms ?? 0 };
  if (after === null) interview.answers = Object.fromEntries(Object.entries(interview.answers).filter(([id]) => id !== item));
  else interview.answers[item] = { ...after, ...counted };
  return true;
}

/** Marks every relevant question without an answer as not reached. */
export function breakOff(instrument: Instrument, visit: Visit, interview: Interview, reason: string): void {
  interview.brokenOff = reason;
  // An item that becomes relevant only now is not reached either: round until nothing is open.
  for (let open = [''], round = 0; open.length > 0 && round <= interview.order.length; round += 1) {
    open = route(instrument, interview, judged(instrument, visit, interview)).filter((id) => !interview.answers[id]);
    for (const id of open) interview.answers[id] = { m: 'not_reached', n_changes: 0, ms: 0 };
  }
}
