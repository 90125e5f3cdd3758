import type { QueueRow } from '../store/database';
import type { Session } from '../store/session';
import type { Book, Case, InboxMessage, SealingKey, ServerKey, Visit } from '../work/types';
import { hex, sha256 } from '../store/crypto';
import { SEALED_MEDIA } from '../store/office';
import { recallAll } from '../work/returned';
import { jsonOf, type Answer, type Send } from './api';
import { afterAnswer, DAY_MS, mayPurge, unsent } from './queue';
import { isProof, receiptText } from './receipt';

const EVENTS_MAX = 500;
const ITEMS_MAX = 1000;
const PAGES_MAX = 100;

/** What the last round came to: the words the screens show. */
export type Network = 'unknown' | 'online' | 'network' | 'portal' | 'sign in' | 'refused';

export interface Round {
  readonly network: Network;
  /** The server's own title when it refused. */
  readonly title: string | null;
}

export interface Parts {
  readonly session: Session;
  readonly book: Book;
  readonly send: Send;
  readonly now: () => number;
  readonly random: () => number;
  /** Called after each step that the screens show. */
  readonly changed: () => void;
  /** Called with a visit whose answers came back. */
  readonly recalled: (visit: Visit) => void;
}

class Stop extends Error {
  constructor(readonly round: Round) {
    super(round.network);
  }
}

/** One meeting with the server: learn what is new, fetch what came back, hand in events, then submissions, then ask what is kept, then tidy up. */
export async function meet(parts: Parts, patient = true): Promise<Round> {
  try {
    await manifest(parts);
    await changes(parts);
    await returned(parts);
    await events(parts);
    await submissions(parts, patient);
    await reconcile(parts);
    await report(parts);
    return { network: 'online', title: null };
  } catch (error) {
    if (error instanceof Stop) return error.round;
    throw error;
  }
}

async function ask(parts: Parts, ...[path, how]: Parameters<Send>): Promise<Answer & { kind: 'ok' | 'refused' }> {
  const answer = await parts.send(path, { ...how, token: parts.book.token });
  if (answer.kind === 'offline') throw new Stop({ network: answer.why, title: null });
  return answer;
}

interface Manifest {
  min_release: string | null;
  instruments: string[];
  server_keys: ServerKey[];
  sealing_key: SealingKey | null;
  hotline?: string | null;
  policy: { grace_days: number };
}

async function manifest(parts: Parts): Promise<void> {
  const before = parts.now();
  const answer = await ask(parts, '/sync/manifest');
  if (answer.kind === 'ok' && answer.serverMs !== null)
    parts.book.offsetMs = Math.round(answer.serverMs - (before + parts.now()) / 2);
  // A revoked or timed-out token may still hand in: the submissions go on, everything else waits.
  if (answer.kind === 'refused') return;
  const { min_release, instruments, server_keys, sealing_key, hotline, policy } = jsonOf<Manifest>(answer);
  parts.book.policy = { grace_days: policy.grace_days, min_release };
  parts.book.hotline = hotline ?? null;
  const keys = addKeys(parts.book.keys, server_keys);
  // The server that was pinned may also exchange what is sealed to it.
  if (keys !== parts.book.keys) parts.book.sealing = sealing_key;
  parts.book.keys = keys;
  for (const hash of instruments) await instrument(parts, hash);
  await parts.session.keepBook(parts.book);
  parts.changed();
}

/** Keys pinned at enrolment stay; a newer one is believed only from a server that still names every one of them. */
export function addKeys(pinned: readonly ServerKey[], told: readonly ServerKey[]): readonly ServerKey[] {
  const names = (one: ServerKey): boolean => told.some((key) => key.id === one.id && key.key === one.key);
  return pinned.every(names) ? told.map(({ id, algorithm, key }) => ({ id, algorithm, key })) : pinned;
}

/** Fetches a form once; it never changes under its hash, and its bytes are checked again before each use. */
async function instrument(parts: Parts, hash: string): Promise<void> {
  if (await parts.session.database.get('instruments', hash)) return;
  const answer = await ask(parts, `/instruments/${hash}`);
  if (answer.kind !== 'ok') return;
  const named = (JSON.parse(answer.text) as { hash?: string }).hash;
  if (named !== hash) return;
  const digest = hex(await sha256(new TextEncoder().encode(answer.text)));
  await parts.session.database.put('instruments', { hash, text: answer.text, sha256: digest });
}

type Change =
  | { kind: 'case'; op: 'put' | 'delete'; survey: string; case: string; value: Case['value'] | null }
  | { kind: 'message'; op: 'put'; seq: number; value: InboxMessage };

async function changes(parts: Parts): Promise<void> {
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { cursor } = parts.book;
    const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const answer = await ask(parts, `/sync/changes${query}`);
    if (answer.kind === 'refused') {
      // Too old a place in the feed: everything again, and no local work is touched by it.
      if (answer.problem.code === 'cursor-expired' && cursor !== null) {
        parts.book.cursor = null;
        await startOver(parts);
        continue;
      }
      return;
    }
    const told = jsonOf<{ cursor: string; has_more: boolean; changes: Change[] }>(answer);
    for (const change of told.changes) await apply(parts, change);
    for (const hash of new Set(Object.values(parts.book.cases).map((one) => one.value.instrument))) await instrument(parts, hash);
    parts.book.cursor = told.cursor;
    await parts.session.keepBook(parts.book);
    parts.changed();
    if (!told.has_more) break;
  }
  await dropMoved(parts);
  forgetContacts(parts.book);
}

async function apply({ book, session }: Parts, change: Change): Promise<void> {
  if (change.kind === 'message') {
    book.messages = [...book.messages.filter((one) => one.seq !== change.seq), change.value];
    return;
  }
  const key = `${change.survey}/${change.case}`;
  if (change.op === 'put' && change.value) book.cases[key] = { key, survey: change.survey, case: change.case, value: change.value };
  else leaveCase(book, key, (await session.visit(key))?.interview != null);
}

/** A case that was taken back leaves the list, unless its interview is open here: that one is ended and sent all the same. */
function leaveCase(book: Book, key: string, isOpen: boolean): void {
  const work = book.cases[key];
  if (work && isOpen) book.cases[key] = { ...work, moved: true };
  else Reflect.deleteProperty(book.cases, key);
}

async function startOver({ book, session }: Parts): Promise<void> {
  const open = new Set((await session.visits()).filter((visit) => visit.interview).map((visit) => visit.key));
  for (const key of Object.keys(book.cases)) leaveCase(book, key, open.has(key));
}

/** Nobody keeps an address of a case that he no longer has. Asked at the end, since a feed that starts over first takes every case away. */
function forgetContacts(book: Book): void {
  for (const key of Object.keys(book.contacts ?? {})) if (!book.cases[key] || book.cases[key].moved) Reflect.deleteProperty(book.contacts ?? {}, key);
}

/** Takes cases of somebody else off the list a day after their interview here ended. */
async function dropMoved({ book, session, now }: Parts): Promise<void> {
  for (const { key } of Object.values(book.cases).filter((work) => work.moved)) {
    const visit = await session.visit(key);
    if (!visit?.interview && (visit?.finished.at(-1)?.at ?? 0) < now() - DAY_MS) Reflect.deleteProperty(book.cases, key);
  }
}

async function returned({ session, book, send, recalled }: Parts): Promise<void> {
  const gone = await recallAll(session, book, send, recalled);
  if (gone) throw new Stop({ network: gone.why, title: null });
}

async function events(parts: Parts): Promise<void> {
  for (let batch = await parts.session.events(EVENTS_MAX); batch; batch = await parts.session.events(EVENTS_MAX)) {
    const headers = 'enc' in batch.content ? { 'Content-Type': SEALED_MEDIA } : {};
    const answer = await ask(parts, '/events:batch', { method: 'POST', json: batch.content, headers });
    if (answer.kind === 'refused') return;
    const { accepted_through } = jsonOf<{ accepted_through: number }>(answer);
    if (accepted_through < batch.first) return;
    await parts.session.dropEvents(accepted_through);
  }
}

async function submissions(parts: Parts, patient: boolean): Promise<void> {
  const rows = await parts.session.queue();
  // What was under way when the program ended is simply sent again: the server knows it by its id.
  const due = rows.filter((row) => row.state === 'sending' || (row.state === 'queued' && (!patient || row.next <= parts.now())));
  for (const row of due.sort((a, b) => a.finished - b.finished)) {
    const rest = await submit(parts, row);
    parts.changed();
    if (rest !== 'go on') throw new Stop({ network: rest === 'sign in' ? 'sign in' : 'refused', title: null });
  }
}

async function submit(parts: Parts, row: QueueRow): Promise<'go on' | 'wait' | 'sign in'> {
  const body = await parts.session.bodyOf(row);
  const bytes = body ?? (row.office ? new TextEncoder().encode(JSON.stringify(row.office)) : null);
  if (!bytes) return 'go on';
  await parts.session.changeQueue(row, { state: 'sending' });
  parts.changed();
  const headers = { 'Submission-Sha256': row.sha256, ...(body ? {} : { 'Content-Type': SEALED_MEDIA }) };
  const path = `/submissions/${row.id}/revs/${row.rev}`;
  const answer = await parts.send(path, { method: 'PUT', headers, bytes, token: parts.book.token });
  const text = receiptText(answer.kind === 'ok' ? answer.text : answer.kind === 'refused' ? answer.problem.text : '');
  const proven = text !== null && (await isProof(text, row, parts.book.keys));
  const { change, rest } = afterAnswer(row, answer, proven, parts.now(), parts.random);
  const judged = answer.kind === 'ok' ? (jsonOf<{ state?: string | null }>(answer).state ?? row.judged) : row.judged;
  const receipt = proven && text !== null ? { owner: row.owner, id: row.id, rev: row.rev, text, at: parts.now() } : undefined;
  await parts.session.changeQueue(row, { ...change, judged }, receipt);
  if (answer.kind === 'offline') throw new Stop({ network: answer.why, title: null });
  return rest;
}

interface Reconciled {
  items: { id: string; rev: number; sha256: string; answer: 'known' | 'unknown' | 'different' }[];
}

async function reconcile(parts: Parts): Promise<void> {
  const rows = (await parts.session.queue()).filter((row) => row.state === 'sent' || row.state === 'verified').slice(0, ITEMS_MAX);
  if (rows.length === 0) return;
  const have = rows.map(({ id, rev, sha256: digest, state }) => ({ id, rev, sha256: digest, state }));
  const answer = await ask(parts, '/reconcile', { method: 'POST', json: { have } });
  if (answer.kind === 'refused') return;
  const { items } = jsonOf<Reconciled>(answer);
  for (const row of rows) {
    const item = items.find((one) => one.id === row.id && one.rev === row.rev && one.sha256 === row.sha256);
    if (item) await settle(parts, row, item.answer);
  }
  parts.changed();
}

async function settle(parts: Parts, row: QueueRow, said: 'known' | 'unknown' | 'different'): Promise<void> {
  // The server lost it, for instance to an old backup: it is sent again from here.
  if (said === 'unknown') return parts.session.changeQueue(row, { state: 'queued', next: 0, reason: 'unknown-to-server' });
  if (said === 'different') return parts.session.changeQueue(row, { state: 'queued', next: 0, reason: 'different-on-server' });
  const [receipt, body] = [await parts.session.receipt(row.id, row.rev), await parts.session.bodyOf(row)];
  const purge = mayPurge({
    receiptHolds: receipt !== undefined && (await isProof(receipt.text, row, parts.book.keys)),
    // What is sealed cannot be read again; its sealing is bound to the digest, and opens under no other.
    digestEqual: body ? hex(await sha256(body)) === row.sha256 : row.office != null,
    serverKnows: true,
    ageMs: parts.now() - row.finished,
    graceMs: parts.book.policy.grace_days * DAY_MS,
  });
  await (purge ? parts.session.purge(row) : parts.session.changeQueue(row, { state: 'verified' }));
}

async function report(parts: Parts): Promise<void> {
  const { count, oldest } = unsent(await parts.session.queue());
  const estimate = await navigator.storage?.estimate?.();
  const json = {
    storage_bytes: estimate ? Math.round((estimate.quota ?? 0) - (estimate.usage ?? 0)) : null,
    persisted: (await navigator.storage?.persisted?.()) ?? null,
    clock_offset_ms: parts.book.offsetMs,
    queue_len: count,
    oldest_unsent_ms: oldest,
  };
  await ask(parts, '/devices/self', { method: 'PUT', json });
}

