import type { Instrument } from '../../rules/form';
import { hex, sha256 } from '../store/crypto';
import { sentAnswers } from './interview';
import type { Case, Drawn, Interview, Member, Visit } from './types';

export const SCHEMA = 1;

export interface Client {
  readonly release: string;
  readonly device: string;
  readonly offsetMs: number;
}

const person = ({ no, sex, age, eligible }: Member) => ({ no, sex, age, eligible });
const selection = ({ method, n_eligible, selected_no, prob }: Drawn) => ({ method, n_eligible, selected_no, prob });

/** The bytes of a finished interview. They are made once and sent unchanged however often. */
export function bodyOf(
  { work, visit, interview, instrument }: { work: Case; visit: Visit; interview: Interview; instrument: Instrument },
  client: Client,
  finishedAt: number,
): Uint8Array<ArrayBuffer> {
  const drawn = visit.selections.at(-1) ?? null;
  const body = {
    schema: SCHEMA,
    id: interview.id,
    rev: interview.rev,
    parent_rev: interview.parent_rev,
    case: work.case,
    assignment: work.value.assignment,
    instrument: instrument.form.hash,
    draw: work.value.draw ? { seed: work.value.draw.seed, algorithm: work.value.draw.algorithm } : null,
    consent: visit.consent,
    selection: drawn && selection(drawn),
    roster: visit.roster.map(person),
    // Every selection there was, with the roster it was made from and why it was made again.
    selections: visit.selections.map((one) => ({
      ...selection(one),
      at_ms: one.at,
      reason: one.reason,
      order: one.order,
      roster: one.roster.map(person),
    })),
    answers: sentAnswers(instrument, interview),
    order_shown: interview.order,
    attempts_ref: visit.attempts.map((attempt) => attempt.id),
    timing: { started_ms: interview.startedAt, finished_ms: finishedAt, active_ms: Math.round(interview.activeMs) },
    broken_off: interview.brokenOff,
    confirmed_checks: interview.confirmed,
    correction: interview.correction,
    attachments: [],
    client: {
      release: client.release,
      device: client.device,
      tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
      offset_ms: client.offsetMs,
    },
    note: interview.note,
  };
  return new TextEncoder().encode(JSON.stringify(body));
}

export const digestOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => hex(await sha256(bytes));

const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';

/** What can be read out over the telephone: the same nine signs as on the server's receipt. */
export async function shortCode(id: string, rev: number, digest: string): Promise<string> {
  const bytes = await sha256(new TextEncoder().encode(`${id}/${rev}/${digest}`));
  const number = bytes.subarray(0, 5).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const sign = (place: number): string => SIGNS[Number((number >> BigInt(5 * place)) & 31n)] ?? '';
  const half = (from: number): string => [0, 1, 2, 3].map((i) => sign(from - i)).join('');
  return `${half(7)}-${half(3)}-${SIGNS[Number(number % 37n)] ?? ''}`;
}

