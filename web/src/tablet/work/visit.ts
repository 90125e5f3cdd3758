import { onScopeDispose, reactive, ref, shallowReactive, type Ref } from 'vue';
import { v7 } from 'uuid';
import { app, failed, refresh, RELEASE, request, round, signedIn } from '../app';
import type { Instrument } from '../../rules/form';
import type { TabletEvent } from '../store/events';
import { breakOff, orderOf } from './interview';
import { draftLock } from '../store/session';
import { sealRecord } from './away';
import { isFor, recall, type Recalled } from './returned';
import { bodyOf, digestOf, shortCode } from './submission';
import { emptyVisit, type Attempt, type Case, type InboxMessage, type Position, type Visit } from './types';

/** A visit under the pen: only one tab holds it, any other looks on. */
export interface OpenVisit {
  readonly visit: Visit;
  /** Whether another tab has it. */
  readonly readOnly: Ref<boolean>;
  readonly ready: Ref<boolean>;
  /** Writes that are not on the disk yet. */
  readonly writing: Ref<number>;
  save(...events: TabletEvent[]): Promise<void>;
}

/** Takes the case's lock, waits for it in the background if another tab has it, and lets go with the screen. */
export function useVisit(key: string): OpenVisit {
  const owner = signedIn();
  const state = shallowReactive({ visit: reactive(emptyVisit(key)) });
  const readOnly = ref(false);
  const ready = ref(false);
  const writing = ref(0);
  let release: () => void = () => undefined;
  const gone = new AbortController();

  const load = async (): Promise<void> => {
    state.visit = reactive((await owner.visit(key)) ?? emptyVisit(key));
    app.visits[key] = state.visit;
    ready.value = true;
  };
  const hold = async (): Promise<void> => {
    await load();
    readOnly.value = false;
    await new Promise<void>((resolve) => {
      release = resolve;
      if (gone.signal.aborted) resolve();
    });
  };
  const name = draftLock(owner, key);
  const first = async (lock: Lock | null): Promise<boolean> => {
    if (lock) await hold();
    return lock !== null;
  };
  void navigator.locks
    .request(name, { ifAvailable: true }, first)
    .then(async (had) => {
      if (had || gone.signal.aborted) return;
      readOnly.value = true;
      await load();
      await navigator.locks.request(name, { signal: gone.signal }, hold);
    })
    .catch((error: unknown) => {
      if (!gone.signal.aborted) failed(error);
    });
  onScopeDispose(() => {
    gone.abort();
    void last.finally(() => release());
  });

  // One write after the other, so that an older state never lands on a newer one.
  let last: Promise<void> = Promise.resolve();
  const save = (...events: TabletEvent[]): Promise<void> => {
    if (readOnly.value) return Promise.resolve();
    const keeping = last.then(() => owner.keepVisit(state.visit, events));
    writing.value += 1;
    last = keeping.catch(failed).finally(() => (writing.value -= 1));
    return last.then(() => {
      app.events += events.length;
    });
  };
  return {
    get visit() {
      return state.visit;
    },
    readOnly,
    ready,
    writing,
    save,
  };
}

export const paradata = (name: string, interview: string | null, item: string | null, data: Record<string, unknown> = {}): TabletEvent => ({
  kind: 'paradata',
  interview,
  item,
  name,
  mono_ms: Math.round(performance.now()),
  wall_ms: Date.now(),
  data,
});

/** Writes a contact attempt down: one tap, with the time and the place as far as they are known. */
export function attempt(open: OpenVisit, work: Case, outcome: string, gps: Position | null, note = ''): Promise<void> {
  const one: Attempt = { id: v7(), at: Date.now(), outcome, note, gps };
  open.visit.attempts.push(one);
  return open.save({
    kind: 'contact_attempt',
    id: one.id,
    survey: work.survey,
    case: work.case,
    outcome,
    mode: 'visit',
    note,
    gps,
    wall_ms: one.at,
  });
}

export async function begin(open: OpenVisit, work: Case, instrument: Instrument): Promise<void> {
  const order = orderOf(instrument, work);
  const id = v7();
  open.visit.interview = {
    id,
    rev: 1,
    began: { instrument: work.value.instrument, draw: work.value.draw, assignment: work.value.assignment },
    parent_rev: null,
    startedAt: Date.now(),
    activeMs: 0,
    answers: {},
    order,
    at: order[0] ?? 'review',
    confirmed: [],
    brokenOff: null,
    comments: [],
    correction: '',
    note: '',
  };
  await open.save(paradata('begin', id, null, { order }));
}

/**
 * Opens the next revision of returned work: same draw, same order, at the first item that was marked. Null when it is open or there
 * is nothing to open; else why its answers are not here.
 */
export async function reopen(open: OpenVisit, message: InboxMessage): Promise<Exclude<Recalled, { kind: 'here' }> | null> {
  if (!app.book || !isFor(open.visit, message)) return null;
  const got = await recall(app.book, request, open.visit);
  if (got.kind !== 'here') return got;
  Object.assign(open.visit, got.visit);
  const { last } = open.visit;
  if (!last) return null;
  const comments = message.payload.item_comments ?? [];
  const copy = JSON.parse(JSON.stringify(last)) as typeof last;
  const marked = comments.find(({ item }) => copy.order.includes(item))?.item;
  open.visit.interview = {
    ...copy,
    rev: last.rev + 1,
    parent_rev: last.rev,
    at: marked ?? copy.order[0] ?? 'review',
    brokenOff: null,
    comments,
    correction: '',
  };
  await open.save(paradata('reopen', last.id, marked ?? null, { rev: last.rev + 1 }));
  return null;
}

/** Seals the interview into the queue: the rest of the visit, its events and the record in one transaction. Returns the code to read out. */
export async function finish(open: OpenVisit, work: Case, instrument: Instrument, brokenOff: string | null): Promise<string> {
  const owner = signedIn();
  // The screen keeps showing the interview until the sealed one is on the disk: everything happens to a copy first.
  await open.save();
  const visit = JSON.parse(JSON.stringify(open.visit)) as Visit;
  const { interview } = visit;
  if (!interview || open.readOnly.value) throw new Error('there is nothing to finish');
  if (brokenOff !== null) breakOff(instrument, visit, interview, brokenOff);
  const now = Date.now();
  const client = { release: RELEASE, device: owner.profile.device, offsetMs: app.book?.offsetMs ?? 0 };
  const outcome = brokenOff === null ? '1.1' : '1.2';
  const done: Attempt = { id: v7(), at: now, outcome, note: '', gps: null };
  visit.attempts.push(done);
  const body = bodyOf({ work, visit, interview, instrument }, client, now);
  const digest = await digestOf(body);
  const code = await shortCode(interview.id, interview.rev, digest);
  // From here on only the server opens it. Without a key to seal it to it stays readable with the PIN.
  const sealing = app.book?.sealing;
  const office = await sealRecord(sealing, owner, { id: interview.id, rev: interview.rev, sha256: digest }, body);
  visit.finished.push({ id: interview.id, rev: interview.rev, sha256: digest, at: now, code, sealed: office !== null, ...(interview.began && { began: interview.began }) });
  visit.last = interview;
  visit.interview = null;
  visit.recalled = null;
  const row = {
    owner: owner.owner,
    id: interview.id,
    rev: interview.rev,
    case: work.case,
    sha256: digest,
    bytes: body.length,
    finished: now,
    code,
    state: 'queued' as const,
    tries: 0,
    next: 0,
    reason: null,
    title: null,
    sentAt: null,
    judged: null,
    office,
  };
  const contact: TabletEvent = { kind: 'contact_attempt', id: done.id, survey: work.survey, case: work.case, outcome, mode: 'visit', note: '', gps: null, wall_ms: now };
  await owner.keepVisit(visit, [contact, paradata('finish', interview.id, null, { rev: interview.rev })], { queued: row, body });
  if (sealing && office) await owner.sealEvents(sealing);
  await refresh();
  Object.assign(open.visit, visit);
  void round(false);
  return code;
}
