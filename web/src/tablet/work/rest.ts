import { REVIEW } from './interview';
import { emptyVisit, type Attempt, type Interview, type Kept, type Member, type Visit } from './types';

/**
 * What is written of a visit. Once its record is sealed to the server nothing of a finished interview stays that tells of an answer:
 * what remains is what the list, the queue and the contact history show. An interview under the pen stays whole, and so does one
 * that came back until it is corrected.
 */
export function rest(visit: Visit): Visit {
  const done = visit.finished.at(-1);
  if (!done?.sealed) return visit;
  if (visit.interview) return { ...visit, last: null };
  if (visit.recalled === done.rev) return visit;
  const { key, cardShownAt, finished } = visit;
  return { ...emptyVisit(key), cardShownAt, finished, attempts: visit.attempts.map(outcomeOnly) };
}

/** Words and place of an attempt are with the events. */
const outcomeOnly = ({ id, at, outcome }: Attempt): Attempt => ({ id, at, outcome, note: '', gps: null });

/** Whether what is read in memory is still what the disk has the rest of: another tab may have gone on. */
export const isSame = (seen: Visit, kept: Visit): boolean =>
  kept.interview === null && kept.recalled === null && kept.finished.at(-1)?.sha256 === seen.finished.at(-1)?.sha256;

/** Whether the answers of the last finished interview are not here. */
export const isAway = (visit: Visit): boolean => visit.interview === null && visit.last === null && visit.finished.length > 0;

type SentPerson = Omit<Member, 'relation'>;

/** A submission as `bodyOf` wrote it, as far as a correction needs it. */
interface Sent {
  id: string;
  rev: number;
  parent_rev: number | null;
  consent: Visit['consent'];
  roster: SentPerson[];
  selections: { method: 'uniform' | 'kish'; n_eligible: number; selected_no: number; prob: number; at_ms: number; reason: string; order: number[]; roster: SentPerson[] }[];
  answers: ({ i: string } & Partial<Kept>)[];
  order_shown: string[];
  timing: { started_ms: number; active_ms: number };
  broken_off: string | null;
  confirmed_checks: string[];
  correction: string;
  note: string;
}

// Kinship was never sent and does not come back.
const member = (one: SentPerson): Member => ({ ...one, relation: '' });

/** The visit with the answers of its last revision in it again, from the bytes that were sent. */
export function recalled(visit: Visit, text: string): Visit {
  const sent = JSON.parse(text) as Sent;
  const began = visit.finished.at(-1)?.began;
  const last: Interview = {
    id: sent.id,
    rev: sent.rev,
    ...(began && { began }),
    parent_rev: sent.parent_rev,
    startedAt: sent.timing.started_ms,
    activeMs: sent.timing.active_ms,
    answers: Object.fromEntries(sent.answers.flatMap(({ i, n_changes, ms, ...given }) => (n_changes === undefined ? [] : [[i, { ...given, n_changes, ms: ms ?? 0 }]]))),
    order: sent.order_shown,
    at: REVIEW,
    confirmed: sent.confirmed_checks,
    brokenOff: sent.broken_off,
    comments: [],
    correction: sent.correction,
    note: sent.note,
  };
  const selections = sent.selections.map(({ at_ms, roster, ...drawn }) => ({ ...drawn, at: at_ms, no: drawn.order[drawn.selected_no - 1] ?? 0, roster: roster.map(member) }));
  return { ...visit, consent: sent.consent, roster: sent.roster.map(member), selections, last, recalled: sent.rev };
}
