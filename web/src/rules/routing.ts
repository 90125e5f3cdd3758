import { holds, type Facts } from './expression';
import type { Instrument } from './form';
import type { Given } from './value';

/** Answers by place in the questionnaire, seen through relevance: what is irrelevant is not there. */
export function view(instrument: Instrument, answers: readonly (Given | undefined)[], relevant: readonly boolean[]): Facts {
  return ({ id, row }) => {
    const at = instrument.find(id)?.at;
    if (at === undefined || !relevant[at]) return undefined;
    const given = answers[at];
    if (given === undefined) return undefined;
    if ('choice' in given) return { text: given.choice };
    if ('choices' in given) return { codes: given.choices };
    if (!('matrix' in given)) return given;
    if (row === undefined) return { something: true };
    const code = given.matrix.get(row);
    return code === undefined ? undefined : { text: code };
  };
}

/**
 * For each item in the order of asking, whether these answers make it relevant. One pass is enough: a rule names earlier items
 * only, so each rule finds the relevance of what it looks at.
 */
export function relevance(instrument: Instrument, answers: readonly (Given | undefined)[]): boolean[] {
  const relevant: boolean[] = [];
  const facts = view(instrument, answers, relevant);
  for (const { at, item, section } of instrument.items)
    relevant[at] = [section.relevant_when, item.relevant_when].every((rule) => rule === undefined || holds(rule, facts));
  return relevant;
}

/** The category in each analysis column; null where no rule holds. */
export function classify(instrument: Instrument, facts: Facts): Record<string, string | null> {
  const columns = instrument.form.classifications ?? [];
  const category = (column: (typeof columns)[number]): string | null =>
    column.categories.find(({ when }) => holds(when, facts))?.code ?? null;
  return Object.fromEntries(columns.map((column) => [column.id, category(column)]));
}
