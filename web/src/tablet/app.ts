import { computed, markRaw, reactive, ref, shallowRef, toRaw, triggerRef } from 'vue';
import { Instrument, type Form } from '../rules/form';
import { sender, type Send } from './net/api';
import { meet, type Network } from './net/engine';
import { unsent } from './net/queue';
import { NewerData, openDatabase, type Database, type Profile, type QueueRow } from './store/database';
import { hex, sha256 } from './store/crypto';
import type { Session } from './store/session';
import { putAway } from './work/away';
import { readContact, type Reading } from './work/contact';
import type { Settled } from './work/settle';
import { emptyVisit, type Book, type Case, type Visit } from './work/types';

declare const __RELEASE__: string;
export const RELEASE = __RELEASE__;
const ROUND_MS = 60_000;

/** Why nothing goes on: shown over everything. */
export type Fatal = 'write' | 'newer' | 'closed' | 'open';

/** What all screens share. Only plain data is made reactive; the session and its key never are. */
export const app = reactive({
  started: false,
  fatal: null as Fatal | null,
  profiles: [] as Profile[],
  book: null as Book | null,
  /** Counts up with whatever the server told. */
  told: 0,
  /** The case whose interview is on the screen. */
  open: null as string | null,
  visits: {} as Record<string, Visit>,
  rows: [] as QueueRow[],
  events: 0,
  network: 'unknown' as Network,
  busy: false,
  /** A newer program waits for the word to take over. */
  update: false,
  storagePersisted: true,
  /** The tablet was just given back, with this result. */
  settled: null as Settled | null,
});

export const session = shallowRef<Session | null>(null);
let database: Database | null = null;
const send: Send = sender(RELEASE);

export const db = (): Database => {
  if (!database) throw new Error('the database is not open');
  return database;
};
export const request: Send = (...args) => send(...args);

export async function start(): Promise<void> {
  try {
    database = await openDatabase();
    app.profiles = await database.getAll('profiles');
  } catch (error) {
    app.fatal = error instanceof NewerData ? 'newer' : 'open';
  }
  globalThis.addEventListener('scilit-database-closed', () => (app.fatal = 'closed'));
  app.started = true;
}

export async function enter(next: Session): Promise<void> {
  const book = await next.book();
  // What cannot be sealed now stays as it is, and is sealed another time.
  await putAway(next, book).catch(() => undefined);
  const [visits, rows, open] = await Promise.all([next.visits(), next.queue(), next.openCase()]);
  // Watching two thousand cases one by one would only make the list slow: `told` says that some of them changed.
  app.book = { ...book, cases: markRaw(book.cases) };
  app.open = open;
  app.visits = Object.fromEntries(visits.map((visit) => [visit.key, visit]));
  app.rows = markRaw(rows);
  app.events = await next.countEvents();
  session.value = next;
  app.profiles = await db().getAll('profiles');
  void round();
}

/** Locks the tablet. What is finished can no longer be read here, whoever knows the PIN. */
export function leave(): void {
  const owner = session.value;
  owner?.forgetFinished();
  if (owner) void putAway(owner, toRaw(app.book)).catch(() => undefined);
  session.value = null;
  instruments.clear();
  Object.assign(app, { book: null, open: null, visits: {}, rows: [], events: 0, network: 'unknown' });
}

export const signedIn = (): Session => {
  if (!session.value) throw new Error('nobody is signed in');
  return session.value;
};

export async function refresh(): Promise<void> {
  if (!session.value) return;
  app.rows = markRaw(await session.value.queue());
  app.events = await session.value.countEvents();
}

let again = false;
let meetings: Promise<void> = Promise.resolve();

/** One meeting with the server; never two at once, not even from two tabs. Ends when nothing that was asked for is left. */
export function round(patient = true): Promise<void> {
  const owner = session.value;
  const book = app.book;
  if (!owner || !book) return Promise.resolve();
  // Whoever comes in the middle waits too: what is being fetched is not on the disk yet.
  if (app.busy) again = true;
  else meetings = gather(owner, book, patient);
  return meetings;
}

async function gather(owner: Session, book: Book, patient: boolean): Promise<void> {
  app.busy = true;
  try {
    const changed = (): void => {
      app.told += 1;
      void refresh();
    };
    const recalled = (visit: Visit): void => {
      if (session.value === owner) app.visits[visit.key] = visit;
    };
    const meeting = () => meet({ session: owner, book, send: request, now: Date.now, random: Math.random, changed, recalled }, patient);
    const run = async (lock: Lock | null) => (lock ? meeting() : null);
    const result = await navigator.locks.request(`meeting:${owner.owner}`, { ifAvailable: true }, run);
    if (result && session.value === owner) app.network = result.network;
  } catch (error) {
    failed(error);
  } finally {
    app.busy = false;
    await refresh().catch(failed);
  }
  if (again) {
    again = false;
    await round(patient);
  }
}

/** A write that failed stops everything: going on would lose answers without a word. */
export function failed(error: unknown): void {
  if (session.value === null) return;
  const name = error instanceof Error ? error.name : '';
  app.fatal = name === 'InvalidStateError' ? 'closed' : 'write';
}

export function keepMeeting(): void {
  const soon = (): void => void round();
  globalThis.addEventListener('online', () => void round(false));
  globalThis.addEventListener('offline', () => (app.network = 'network'));
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && soon());
  setInterval(() => document.visibilityState === 'visible' && soon(), ROUND_MS);
}

const LOCK_MS = 15 * 60_000;
const LOOK_MS = 5_000;

/** Nobody touched it for a quarter of an hour, or it slept: the PIN is asked again. What was typed is on the disk by then. */
export function lockWhenIdle(): void {
  let last = Date.now();
  const touched = (): void => void (last = Date.now());
  for (const kind of ['pointerdown', 'keydown', 'input']) document.addEventListener(kind, touched, { capture: true, passive: true });
  setInterval(() => {
    const idle = Date.now() - last;
    // A clock that was set back says nothing.
    if (idle < 0) touched();
    else if (idle > LOCK_MS && session.value) leave();
  }, LOOK_MS);
}

/** Reads where a case is, at the office's log's cost. */
export function readContactOf(work: Case): Promise<Reading> {
  if (!app.book) throw new Error('nobody is signed in');
  return readContact(signedIn(), app.book, request, work, Date.now());
}

export const waiting = computed(() => unsent(app.rows));

const instruments = new Map<string, Instrument>();

/** The form of a case, checked against the digest it came with. */
export async function instrumentOf(work: Case): Promise<Instrument | null> {
  const { instrument: hash } = work.value;
  const known = instruments.get(hash);
  if (known) return known;
  const row = await db().get('instruments', hash);
  if (!row || hex(await sha256(new TextEncoder().encode(row.text))) !== row.sha256) return null;
  const instrument = new Instrument(JSON.parse(row.text) as Form);
  instruments.set(hash, instrument);
  return instrument;
}

/** Every case of the person's, anew whenever the server told something. */
export const allCases = computed(() => (app.told >= 0 ? Object.values(app.book?.cases ?? {}) : []));
export const caseOf = (key: string): Case | undefined => (app.told >= 0 ? app.book?.cases[key] : undefined);

export const visitOf = (key: string): Visit => app.visits[key] ?? emptyVisit(key);

/** Statuses, in the words that are the same everywhere. */
export type Status = 'open' | 'going' | 'finished' | 'uploaded' | 'returned' | 'void';

const revision = ({ id, rev }: { id: string; rev: number }): string => `${id}/${rev}`;
const rowOf = computed(() => new Map(app.rows.map((row) => [revision(row), row])));
/** The newest message by which a revision came back. */
const returns = computed(() => {
  const returned = (app.book?.messages ?? []).filter((one) => one.kind === 'returned').sort((a, b) => a.seq - b.seq);
  return new Map(returned.map((one) => [`${one.response}/${one.rev}`, one]));
});

export function statusOf(work: Case): Status {
  // Nearly every case has none, and asking the watched record two thousand times for nothing is slow.
  const visit = work.key in toRaw(app.visits) ? app.visits[work.key] : undefined;
  if (visit?.interview) return 'going';
  const last = visit?.finished.at(-1);
  const row = last && rowOf.value.get(revision(last));
  if (row && ['queued', 'sending', 'parked'].includes(row.state)) return 'finished';
  if (work.value.state === 'void') return 'void';
  if (returnOf(work)) return 'returned';
  return row || work.value.state === 'done' ? 'uploaded' : 'open';
}

/** The message by which a case's last revision came back, while nothing newer was finished. */
export function returnOf(work: Case) {
  const last = work.key in toRaw(app.visits) ? app.visits[work.key]?.finished.at(-1) : undefined;
  return (last && returns.value.get(revision(last))) ?? null;
}

/** Screens by the part of the address behind the hash sign. */
export const path = ref(readPath());

/** A one-time code behind the hash sign, as the picture on the supervisor's page holds it. */
export const codeInAddress = ref(readCode());

function readCode(): string {
  return /^#[0-9A-Za-z-]{10,14}$/.test(location.hash) ? location.hash.slice(1) : '';
}

function readPath(): string[] {
  return location.hash.startsWith('#/') ? location.hash.slice(2).split('/').map(decodeURIComponent) : [];
}

export function listenToAddress(): void {
  globalThis.addEventListener('hashchange', () => {
    path.value = readPath();
    codeInAddress.value = readCode();
    triggerRef(path);
  });
}

export const go = (...parts: string[]): void => {
  location.hash = `/${parts.map(encodeURIComponent).join('/')}`;
};

export const goCase = (key: string, ...rest: string[]): void => go('case', ...key.split('/'), ...rest);
