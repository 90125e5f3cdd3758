import type { Fault } from './judge';

/** The population of the surveys: residents of these ages. */
export const AGE_MIN = 18;
export const AGE_MAX = 69;
/** Probabilities travel as decimal numbers; 1/3 comes back rounded. */
const TOLERANCE = 1e-6;

export interface Person {
  readonly no: number;
  readonly sex: 'male' | 'female';
  readonly age: number | null;
  readonly eligible: boolean;
}

export interface Selection {
  readonly method: string;
  readonly n_eligible: number;
  readonly selected_no: number;
  readonly prob: number;
}

/** Whether the person can have been drawn from the household as roster and selection say; every fault. */
export function householdFaults(roster: readonly Person[], selection: Selection | null | undefined): Fault[] {
  const faults: Fault[] = roster.flatMap(({ age, eligible }, at) =>
    eligible && age !== null && (age < AGE_MIN || age > AGE_MAX)
      ? [
          {
            pointer: `/roster/${at}/age`,
            item: null,
            code: 'out-of-range' as const,
            message: { zh: '合格成员的年龄应在 18 至 69 岁', en: 'an eligible member is 18 to 69 years old' },
          },
        ]
      : [],
  );
  if (!selection) return faults;
  const fault = (field: string, code: Fault['code'], zh: string, en: string): void => {
    faults.push({ pointer: `/selection/${field}`, item: null, code, message: { zh, en } });
  };
  const { n_eligible, selected_no } = selection;
  if (selected_no > n_eligible) {
    fault('selected_no', 'out-of-range', '被选者序号大于合格人数', 'the person drawn is not among the eligible');
    return faults;
  }
  const eligible = roster.filter((person) => person.eligible).length;
  if (roster.length > 0 && eligible !== n_eligible)
    fault(
      'n_eligible',
      'inconsistent-selection',
      `名册中有 ${eligible} 名合格成员，抽取记录为 ${n_eligible} 名`,
      `the roster has ${eligible} eligible members, the selection says ${n_eligible}`,
    );
  const expected = probability(selection.method, n_eligible, selected_no);
  if (expected === null || Math.abs(expected - selection.prob) > TOLERANCE)
    fault(
      'prob',
      'inconsistent-selection',
      '户内抽取概率与所述抽取方法不符',
      'the probability is not the one that the method gives this person',
    );
  return faults;
}

/**
 * What the method gives the person with this number. Kish's tables (1949) draw one of the first six; among five the chances are
 * uneven: 2, 2, 3, 2 and 3 twelfths.
 */
export function probability(method: string, n: number, no: number): number | null {
  if (method === 'kish' && n === 5) return no === 3 || no === 5 ? 3 / 12 : 2 / 12;
  if (method === 'kish' && n >= 7) return no >= 7 ? null : 1 / 6;
  return 1 / n;
}
