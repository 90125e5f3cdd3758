import type { Texts } from '../../rules/form';

/** Outcomes of a contact attempt, by the codes of the AAPOR's standard definitions for visits. */
export interface Outcome {
  readonly code: string;
  readonly words: Texts;
}

const one = (code: string, zh: string, en: string): Outcome => ({ code, words: { 'zh-CN': zh, en } });

export interface Group {
  readonly words: Texts;
  readonly outcomes: readonly Outcome[];
}

export const GROUPS: readonly Group[] = [
  {
    words: { 'zh-CN': '有人但未完成', en: 'Somebody there, not completed' },
    outcomes: [
      one('2.111', '户级拒访', 'Household refused'),
      one('2.112', '被选者拒访', 'Selected person refused'),
      one('2.12', '中途终止', 'Broken off'),
      one('2.25', '被选者外出或不便', 'Selected person away or unavailable'),
      one('2.20', '未接触到被选者', 'Selected person not reached'),
      one('2.32', '身心原因不能受访', 'Physically or mentally unable'),
      one('2.33', '语言不通', 'No common language'),
      one('2.31', '被选者死亡', 'Selected person died'),
      one('2.36', '其他未完成', 'Other non-interview'),
    ],
  },
  {
    words: { 'zh-CN': '没有接触到', en: 'No contact' },
    outcomes: [one('2.24', '无人在家', 'Nobody at home'), one('2.23', '无法进入楼院', 'No access to the building')],
  },
  {
    words: { 'zh-CN': '是否合格未知', en: 'Eligibility unknown' },
    outcomes: [
      one('3.18', '找不到地址', 'Address not found'),
      one('3.17', '不安全、不可达', 'Unsafe or out of reach'),
      one('3.20', '不知有无合格者', 'Unknown whether anybody is eligible'),
      one('3.21', '未完成筛选', 'Screening not completed'),
      one('3.90', '其他', 'Other'),
    ],
  },
  {
    words: { 'zh-CN': '不合格', en: 'Not eligible' },
    outcomes: [
      one('4.50', '非住宅', 'Not a residence'),
      one('4.60', '空置住宅', 'Vacant residence'),
      one('4.70', '没有合格对象', 'Nobody eligible'),
      one('4.10', '样本外', 'Outside the sample'),
      one('4.80', '配额已满', 'Quota filled'),
    ],
  },
];

const known = new Map(GROUPS.flatMap((group) => group.outcomes).map((outcome) => [outcome.code, outcome]));
known.set('1.1', one('1.1', '完成', 'Completed'));
known.set('1.2', one('1.2', '部分完成', 'Partly completed'));

export const outcomeOf = (code: string): Outcome => known.get(code) ?? one(code, code, code);
