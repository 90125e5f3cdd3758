/** What an answer means for one item of the queue. Nothing here has an effect, so every case can be tried. */

import type { QueueRow } from '../store/database';
import type { Answer } from './api';

const WAIT_MIN_MS = 2_000;
const WAIT_MAX_MS = 300_000;
export const DAY_MS = 86_400_000;

/** 2 s to 5 min, doubled with each try, and any point up to there: a thousand tablets do not come back at once. */
export function backOff(tries: number, random: () => number): number {
  const most = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** Math.min(tries, 20));
  return Math.round(WAIT_MIN_MS / 2 + random() * (most - WAIT_MIN_MS / 2));
}

/** Whether the rest of the queue should be tried now: an item's own fault never holds up the others. */
export type Rest = 'go on' | 'wait' | 'sign in';

export interface Outcome {
  readonly change: Partial<QueueRow>;
  readonly rest: Rest;
}

/**
 * After an answer to a submission. `proven` says whether it carried a receipt for these very bytes with a good signature;
 * without one nothing counts as sent, whatever the status was.
 */
export function afterAnswer(row: QueueRow, answer: Answer, proven: boolean, now: number, random: () => number): Outcome {
  const wait = (reason: string, title: string | null, least = 0): Partial<QueueRow> => ({
    state: 'queued',
    tries: row.tries + 1,
    next: now + Math.max(least, backOff(row.tries, random)),
    reason,
    title,
  });
  if (answer.kind === 'offline') return { change: wait(answer.why, null), rest: 'wait' };
  if (answer.kind === 'ok') {
    if (!proven) return { change: wait('no-receipt', null), rest: 'go on' };
    return { change: { state: 'sent', tries: 0, next: 0, reason: null, title: null, sentAt: now }, rest: 'go on' };
  }
  const { problem } = answer;
  const { code, title } = problem;
  // Both bodies are kept on the server; the local one stays until a supervisor has chosen.
  if (code === 'rev-conflict') return { change: { state: 'parked', reason: code, title, sentAt: proven ? now : null }, rest: 'go on' };
  if (problem.action === 'reauth' || problem.status === 401) return { change: wait(code || 'unauthenticated', title), rest: 'sign in' };
  if (problem.retryable || problem.status >= 500) {
    const everyone = problem.status === 503 || problem.status === 429 || problem.status === 507;
    return { change: wait(code, title, problem.retryAfterMs ?? 0), rest: everyone ? 'wait' : 'go on' };
  }
  return { change: { state: 'parked', reason: code || String(problem.status), title }, rest: 'go on' };
}

/** What must be true before a body may leave the tablet. All four, always. */
export interface PurgeCase {
  readonly receiptHolds: boolean;
  readonly digestEqual: boolean;
  readonly serverKnows: boolean;
  readonly ageMs: number;
  readonly graceMs: number;
}

export const mayPurge = ({ receiptHolds, digestEqual, serverKnows, ageMs, graceMs }: PurgeCase): boolean =>
  receiptHolds && digestEqual && serverKnows && ageMs > graceMs;

/** What is still only here: the badge's number and the age of the oldest. */
export function unsent(rows: readonly QueueRow[]): { count: number; oldest: number | null } {
  const open = rows.filter((row) => ['queued', 'sending', 'parked'].includes(row.state));
  const oldest = open.reduce((least, row) => Math.min(least, row.finished), Number.POSITIVE_INFINITY);
  return { count: open.length, oldest: open.length > 0 ? oldest : null };
}
