import type { MissingKind } from '../../rules/form';
import type { Person, Selection } from '../../rules/household';

/** The pre-committed number and the way of drawing one of a household. */
export interface Draw {
  readonly method: 'uniform' | 'kish';
  /** Numerator over 2^53, as text: exact. */
  readonly u_num: string;
  readonly table: string | null;
  readonly algorithm: string;
}

/** One case as the server assigns it. */
export interface CaseValue {
  readonly survey_code: string;
  readonly survey_title: string;
  readonly place: string;
  readonly district: string;
  readonly district_name: string;
  readonly psu: string;
  readonly residence: string;
  readonly survey_state: string;
  readonly fieldwork_from: string | null;
  readonly fieldwork_to: string | null;
  readonly state: string;
  readonly priority: number;
  readonly reserve: boolean;
  readonly assignment: string;
  readonly instrument: string;
  readonly selection: Draw | null;
  readonly draw: { readonly seed: string; readonly algorithm: string; readonly items: readonly string[]; readonly options: Readonly<Record<string, readonly string[]>> } | null;
}

export interface Case {
  readonly key: string;
  readonly survey: string;
  readonly case: string;
  readonly value: CaseValue;
  /** Somebody else has it by now; only an interview that was open then goes on here. */
  readonly moved?: boolean;
}

/** Where a case is and whom to ask for: read one by one, since each reading is logged. */
export interface Contact {
  readonly address: string;
  readonly name: string;
  readonly phone: string;
  readonly phone_masked: string;
  readonly note: string;
  readonly read_at: number;
}

export interface ItemComment {
  readonly item: string;
  readonly comment: string;
}

/** A message of the inbox: work that came back. */
export interface InboxMessage {
  readonly seq: number;
  readonly kind: string;
  readonly response: string;
  readonly rev: number;
  readonly payload: {
    readonly case?: string;
    readonly reason_code?: string;
    readonly comment?: string;
    readonly item_comments?: readonly ItemComment[];
  };
  readonly created_at_ms: number;
  read_at_ms: number | null;
}

/** Everything the server told this person, as one sealed document. */
export interface Book {
  cursor: string | null;
  cases: Record<string, Case>;
  messages: InboxMessage[];
  policy: { grace_days: number; min_release: string | null };
  /** The telephone number on the card; none from an older server. */
  hotline?: string | null;
  /** What the vault told of a case, by its key; null where the office has none. It goes with the case. */
  contacts?: Record<string, Contact | null>;
  keys: readonly ServerKey[];
  /** What packages are sealed to; none from an older server. */
  sealing?: SealingKey | null;
  token: string;
  offsetMs: number;
}

export interface SealingKey {
  readonly id: string;
  readonly key: string;
}

export interface ServerKey {
  readonly id: string;
  readonly algorithm: string;
  readonly key: string;
}

export interface Attempt {
  readonly id: string;
  readonly at: number;
  readonly outcome: string;
  readonly note: string;
  readonly gps: Position | null;
}

export interface Position {
  readonly lat: number;
  readonly lon: number;
  readonly accuracy: number;
}

export interface Member extends Person {
  /** 称谓, never a name. */
  readonly relation: string;
}

export interface Drawn extends Selection {
  readonly at: number;
  /** Roster numbers of the eligible in the order of drawing. */
  readonly order: readonly number[];
  readonly no: number;
  /** Why it was drawn again; empty at the first time. */
  readonly reason: string;
  readonly roster: readonly Member[];
}

export interface Began {
  readonly instrument: string;
  readonly draw: CaseValue['draw'];
  readonly assignment: string;
}

export interface Kept {
  v?: unknown;
  m?: MissingKind;
  n_changes: number;
  ms: number;
}

export interface Interview {
  readonly id: string;
  readonly rev: number;
  /** The form it began with and what was drawn then: it ends by these, whatever the server tells of the case later. */
  readonly began?: Began;
  readonly parent_rev: number | null;
  readonly startedAt: number;
  activeMs: number;
  answers: Record<string, Kept>;
  order: string[];
  /** The item on screen, or `review`. */
  at: string;
  /** Soft checks that the surveyor confirmed, as `item/number`. */
  confirmed: string[];
  brokenOff: string | null;
  comments: readonly ItemComment[];
  /** Why the answers were changed after a return. */
  correction: string;
  note: string;
  /** What the questions are read in; Chinese where nobody chose. */
  language?: string;
}

export interface Finished {
  readonly id: string;
  readonly rev: number;
  readonly sha256: string;
  readonly at: number;
  readonly code: string;
  /** Whether its record is sealed to the server, so that nothing of its answers needs to stay here. */
  readonly sealed?: boolean;
  /** What a correction of it is asked by. */
  readonly began?: Began;
}

/** All that happened at one case, as one sealed document. */
export interface Visit {
  readonly key: string;
  cardShownAt: number | null;
  attempts: Attempt[];
  roster: Member[];
  selections: Drawn[];
  consent: { readonly given: boolean; readonly at_ms: number; readonly callback: boolean } | null;
  interview: Interview | null;
  /** What was finished. */
  finished: Finished[];
  /** The answers of the last one, as long as they can be read here. */
  last: Interview | null;
  /** The revision that came back and whose answers stay here until they are corrected. */
  recalled: number | null;
}

/** The case as an interview of it began, also after the server gave it a newer form. */
export function asBegun(work: Case, interview: { readonly began?: Began } | null | undefined): Case {
  return interview?.began ? { ...work, value: { ...work.value, ...interview.began } } : work;
}

export const emptyVisit = (key: string): Visit => ({
  key,
  cardShownAt: null,
  attempts: [],
  roster: [],
  selections: [],
  consent: null,
  interview: null,
  finished: [],
  last: null,
  recalled: null,
});

/** A document from the store as a later program expects it: fields that an earlier one did not know are empty. */
export const completeVisit = (kept: Partial<Visit> & { key: string }): Visit => ({ ...emptyVisit(kept.key), ...kept });
