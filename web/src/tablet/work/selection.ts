import { probability } from '../../rules/household';
import type { Draw, Drawn, Member } from './types';

/** Kish's eight tables (1949): which of one to six eligible is interviewed. */
const KISH: Readonly<Record<string, readonly number[]>> = {
  A: [1, 1, 1, 1, 1, 1],
  B1: [1, 1, 1, 1, 2, 2],
  B2: [1, 1, 1, 2, 2, 2],
  C: [1, 1, 2, 2, 3, 3],
  D: [1, 2, 2, 3, 4, 4],
  E1: [1, 2, 3, 3, 3, 5],
  E2: [1, 2, 3, 4, 5, 5],
  F: [1, 2, 3, 4, 5, 6],
};

/** Men by age, then women by age, the oldest first; the roster's own number decides between equals. */
export function inDrawingOrder(roster: readonly Member[]): Member[] {
  const rank = (member: Member): number => (member.sex === 'male' ? 0 : 1);
  return roster
    .filter((member) => member.eligible)
    .sort((a, b) => rank(a) - rank(b) || (b.age ?? 0) - (a.age ?? 0) || a.no - b.no);
}

/** 1 + floor(u·n) with u = numerator / 2^53, in whole numbers: no rounding can move the choice. */
export const uniform = (numerator: string, n: number): number => Number((BigInt(numerator) * BigInt(n)) >> 53n) + 1;

/** The person whom the pre-committed number picks. The same roster gives the same person, however often it is asked. */
export function drawPerson(draw: Draw, roster: readonly Member[], at: number, reason: string): Drawn | null {
  const eligible = inDrawingOrder(roster);
  const n = eligible.length;
  if (n === 0) return null;
  const selected_no = draw.method === 'kish' ? KISH[draw.table ?? '']?.[Math.min(n, 6) - 1] : uniform(draw.u_num, n);
  const person = selected_no === undefined ? undefined : eligible[selected_no - 1];
  if (selected_no === undefined || !person) return null;
  return {
    method: draw.method,
    n_eligible: n,
    selected_no,
    prob: probability(draw.method, n, selected_no) ?? 1 / n,
    at,
    order: eligible.map((member) => member.no),
    no: person.no,
    reason,
    roster: roster.map((member) => ({ ...member })),
  };
}
