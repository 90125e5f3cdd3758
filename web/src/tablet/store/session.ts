import { toRaw } from 'vue';
import { strict, type Database, type Profile, type QueueRow, type ReceiptRow } from './database';
import { makeLock, openLock, seal, unseal, type Sealed } from './crypto';
import { isSame, rest } from '../work/rest';
import { completeVisit, type Book, type SealingKey, type Visit } from '../work/types';
import { EventLog, type Batch, type TabletEvent } from './events';
import type { Envelope } from './office';

/** The name of the lock on a visit: whoever writes it has it. */
export const draftLock = (owner: Session, key: string): string => `draft:${owner.owner}/${key}`;

const FREE_MISSES = 5;
export const PIN_LENGTH_MIN = 6;

export type Unlocked = { readonly ok: true; readonly session: Session } | { readonly ok: false; readonly waitMs: number; readonly misses: number };

/** One signed-in person: every read and write of theirs goes through here, sealed. */
export class Session {
  private readonly log: EventLog;
  /** Cases whose returned answers the server would not hand out: asked for once by itself, since each reading is in its log. */
  readonly declined = new Set<string>();
  /**
   * What the surveyor finished since the PIN was asked, as it can be read: in memory only, so that it is gone with the lock and
   * with the process, however that ends.
   */
  private readonly legible = { visits: new Map<string, string>(), bodies: new Map<string, Uint8Array<ArrayBuffer>>() };

  private constructor(
    readonly database: Database,
    readonly profile: Profile,
    private readonly key: CryptoKey,
  ) {
    this.log = new EventLog(database, profile.id, key);
  }

  get owner(): string {
    return this.profile.id;
  }

  static async create(database: Database, person: Omit<Profile, 'lock' | 'misses' | 'waitUntil'>, pin: string, book: Book, pair: CryptoKeyPair): Promise<Session> {
    const { lock, key } = await makeLock(pin);
    const profile: Profile = { ...person, lock, misses: 0, waitUntil: 0 };
    const session = new Session(database, profile, key);
    const sealed = await seal(key, `book/${profile.id}`, book);
    const tx = strict(database, ['profiles', 'books', 'deviceKeys']);
    await tx.objectStore('profiles').put(profile);
    await tx.objectStore('books').put({ owner: profile.id, sealed });
    await tx.objectStore('deviceKeys').put({ owner: profile.id, pair });
    await tx.done;
    return session;
  }

  /** Tries a PIN. After the fifth wrong one each next has to wait, twice as long each time, up to an hour. */
  static async unlock(database: Database, profile: Profile, pin: string, now: number): Promise<Unlocked> {
    if (now < profile.waitUntil) return { ok: false, waitMs: profile.waitUntil - now, misses: profile.misses };
    const key = await openLock(profile.lock, pin);
    const misses = key ? 0 : profile.misses + 1;
    const waitMs = misses < FREE_MISSES ? 0 : Math.min(3_600_000, 15_000 * 2 ** (misses - FREE_MISSES));
    const next = { ...profile, misses, waitUntil: key ? 0 : now + waitMs };
    const tx = strict(database, ['profiles']);
    await tx.objectStore('profiles').put(next);
    await tx.done;
    return key ? { ok: true, session: new Session(database, next, key) } : { ok: false, waitMs, misses };
  }

  async book(): Promise<Book> {
    const row = await this.database.get('books', this.owner);
    if (!row) throw new Error('this person has no book');
    return unseal<Book>(this.key, `book/${this.owner}`, row.sealed);
  }

  async keepBook(book: Book): Promise<void> {
    const sealed = await seal(this.key, `book/${this.owner}`, toRaw(book));
    const tx = strict(this.database, ['books']);
    await tx.objectStore('books').put({ owner: this.owner, sealed });
    await tx.done;
  }

  /** The case whose interview is on the screen, for the next start of the program. A case's number is no secret here. */
  async openCase(): Promise<string | null> {
    return ((await this.database.get('meta', `open/${this.owner}`)) as string | undefined) ?? null;
  }

  async keepOpenCase(key: string | null): Promise<void> {
    const tx = strict(this.database, ['meta']);
    await tx.objectStore('meta').put(key, `open/${this.owner}`);
    await tx.done;
  }

  /** Seals something that leaves the database, for the same PIN. */
  sealFor(place: string, value: unknown): Promise<Sealed> {
    return seal(this.key, place, value);
  }

  private place = (key: string): string => `visit/${this.owner}/${key}`;

  async visits(): Promise<Visit[]> {
    const rows = await this.database.getAllFromIndex('visits', 'owner', this.owner);
    return Promise.all(rows.map(async (row) => completeVisit(await unseal<Visit>(this.key, this.place(row.key), row.sealed))));
  }

  /** A visit as far as it can be read: what was finished before the last lock says no more than that it was. */
  async visit(key: string): Promise<Visit | null> {
    const row = await this.database.get('visits', [this.owner, key]);
    if (!row) return null;
    const kept = completeVisit(await unseal<Visit>(this.key, this.place(key), row.sealed));
    const seen = this.legible.visits.get(key);
    const whole = seen === undefined ? null : (JSON.parse(seen) as Visit);
    return whole && isSame(whole, kept) ? whole : kept;
  }

  /**
   * Keeps a visit with what happened, in one transaction that is on the disk when this returns. Sealing comes first: a transaction
   * of the browser ends as soon as nobody asks it anything. Of a finished visit whose record is sealed to the server only the rest
   * is written.
   */
  async keepVisit(visit: Visit, events: readonly TabletEvent[] = [], done?: { queued: Omit<QueueRow, 'body'>; body: Uint8Array<ArrayBuffer> }): Promise<void> {
    const sealed = await seal(this.key, this.place(visit.key), rest(toRaw(visit)));
    const sealedEvents = await this.log.sealed(events);
    const sealedBody = done && !done.queued.office ? await this.sealBody(done.queued.id, done.queued.rev, done.body) : null;
    const tx = strict(this.database, ['visits', 'events', 'queue', 'meta']);
    await tx.objectStore('visits').put({ owner: this.owner, key: visit.key, sealed });
    const counter = `seq/${this.owner}`;
    let seq = ((await tx.objectStore('meta').get(counter)) as number | undefined) ?? 0;
    for (const one of sealedEvents) await tx.objectStore('events').add({ owner: this.owner, seq: (seq += 1), sealed: one });
    if (sealedEvents.length > 0) await tx.objectStore('meta').put(seq, counter);
    if (done) await tx.objectStore('queue').add({ ...done.queued, body: sealedBody });
    await tx.done;
    if (!done) return;
    this.legible.visits.set(visit.key, JSON.stringify(visit));
    this.legible.bodies.set(`${done.queued.id}/${done.queued.rev}`, done.body);
  }

  /** Forgets what was finished: the tablet is being locked. */
  forgetFinished(): void {
    this.legible.visits.clear();
    this.legible.bodies.clear();
  }

  async dropVisit(key: string): Promise<void> {
    await this.database.delete('visits', [this.owner, key]);
  }

  private sealBody(id: string, rev: number, body: Uint8Array<ArrayBuffer>) {
    return seal(this.key, `body/${this.owner}/${id}/${rev}`, new TextDecoder().decode(body));
  }

  /** The bytes themselves, where they can still be read. */
  async bodyOf(row: QueueRow): Promise<Uint8Array<ArrayBuffer> | null> {
    const seen = this.legible.bodies.get(`${row.id}/${row.rev}`);
    if (seen) return seen;
    if (!row.body) return null;
    const text = await unseal<string>(this.key, `body/${this.owner}/${row.id}/${row.rev}`, row.body);
    return new TextEncoder().encode(text);
  }

  /** Puts somebody else's finished work into this queue: the way in for an exported package. Sealed work goes on as it is. */
  async adopt(row: Omit<QueueRow, 'body' | 'owner'>, body: Uint8Array<ArrayBuffer> | null): Promise<boolean> {
    if (await this.database.get('queue', [this.owner, row.id, row.rev])) return false;
    const sealed = body && (await this.sealBody(row.id, row.rev, body));
    const tx = strict(this.database, ['queue']);
    await tx.objectStore('queue').add({ ...row, owner: this.owner, body: sealed });
    await tx.done;
    return true;
  }

  queue(): Promise<QueueRow[]> {
    return this.database.getAllFromIndex('queue', 'owner', this.owner);
  }

  async changeQueue(row: QueueRow, change: Partial<QueueRow>, receipt?: ReceiptRow): Promise<void> {
    const tx = strict(this.database, ['queue', 'receipts']);
    const now = await tx.objectStore('queue').get([row.owner, row.id, row.rev]);
    if (now) await tx.objectStore('queue').put({ ...now, ...change });
    if (receipt) await tx.objectStore('receipts').put(receipt);
    await tx.done;
  }

  /** The server keeps it for good: no copy stays here. */
  async purge(row: QueueRow): Promise<void> {
    await this.changeQueue(row, { state: 'purged', body: null, office: null });
    this.legible.bodies.delete(`${row.id}/${row.rev}`);
  }

  /** From now on only the server opens it. */
  sealRow(row: QueueRow, office: Envelope): Promise<void> {
    return this.changeQueue(row, { office, body: null });
  }

  receipt(id: string, rev: number): Promise<ReceiptRow | undefined> {
    return this.database.get('receipts', [this.owner, id, rev]);
  }

  /** The oldest events that wait, at most so many. */
  events(most: number): Promise<Batch | null> {
    return this.log.next(most);
  }

  sealEvents(sealing: SealingKey): Promise<void> {
    return this.log.putAway(sealing, this.profile.device);
  }

  /** Removes everything of this person's, keys included, in one transaction. */
  async forget(): Promise<void> {
    const mine = IDBKeyRange.bound([this.owner], [this.owner, []]);
    const tx = strict(this.database, ['profiles', 'deviceKeys', 'books', 'visits', 'queue', 'receipts', 'events', 'meta']);
    for (const store of ['profiles', 'deviceKeys', 'books'] as const) await tx.objectStore(store).delete(this.owner);
    for (const store of ['visits', 'queue', 'receipts', 'events'] as const) await tx.objectStore(store).delete(mine);
    for (const name of ['seq', 'open']) await tx.objectStore('meta').delete(`${name}/${this.owner}`);
    await tx.done;
  }

  countEvents(): Promise<number> {
    return this.log.count();
  }

  dropEvents(through: number): Promise<void> {
    return this.log.drop(through);
  }
}
