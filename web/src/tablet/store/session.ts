import { toRaw } from 'vue';
import { strict, type Database, type EventRow, type Profile, type QueueRow, type ReceiptRow } from './database';
import { makeLock, openLock, seal, unseal, type Sealed } from './crypto';
import { completeVisit, type Book, type Visit } from '../work/types';

/** An event before it has its number. */
export type TabletEvent = { readonly kind: 'paradata' | 'contact_attempt' } & Record<string, unknown>;

const FREE_MISSES = 5;
export const PIN_LENGTH_MIN = 6;

export type Unlocked = { readonly ok: true; readonly session: Session } | { readonly ok: false; readonly waitMs: number; readonly misses: number };

/** One signed-in person: every read and write of theirs goes through here, sealed. */
export class Session {
  private constructor(
    readonly database: Database,
    readonly profile: Profile,
    private readonly key: CryptoKey,
  ) {}

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

  async visit(key: string): Promise<Visit | null> {
    const row = await this.database.get('visits', [this.owner, key]);
    return row ? completeVisit(await unseal<Visit>(this.key, this.place(key), row.sealed)) : null;
  }

  /**
   * Keeps a visit with what happened, in one transaction that is on the disk when this returns. Sealing comes first: a transaction
   * of the browser ends as soon as nobody asks it anything.
   */
  async keepVisit(visit: Visit, events: readonly TabletEvent[] = [], queued?: Omit<QueueRow, 'body'> & { bytes: number }, body?: Uint8Array<ArrayBuffer>): Promise<void> {
    const sealed = await seal(this.key, this.place(visit.key), toRaw(visit));
    const sealedEvents = await Promise.all(events.map((event) => seal(this.key, `event/${this.owner}`, event)));
    const sealedBody = queued && body ? await this.sealBody(queued.id, queued.rev, body) : null;
    const tx = strict(this.database, ['visits', 'events', 'queue', 'meta']);
    await tx.objectStore('visits').put({ owner: this.owner, key: visit.key, sealed });
    const counter = `seq/${this.owner}`;
    let seq = ((await tx.objectStore('meta').get(counter)) as number | undefined) ?? 0;
    for (const one of sealedEvents) await tx.objectStore('events').add({ owner: this.owner, seq: (seq += 1), sealed: one });
    if (sealedEvents.length > 0) await tx.objectStore('meta').put(seq, counter);
    if (queued && sealedBody) await tx.objectStore('queue').add({ ...queued, body: sealedBody });
    await tx.done;
  }

  async dropVisit(key: string): Promise<void> {
    await this.database.delete('visits', [this.owner, key]);
  }

  private sealBody(id: string, rev: number, body: Uint8Array<ArrayBuffer>) {
    return seal(this.key, `body/${this.owner}/${id}/${rev}`, new TextDecoder().decode(body));
  }

  async bodyOf(row: QueueRow): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!row.body) return null;
    const text = await unseal<string>(this.key, `body/${this.owner}/${row.id}/${row.rev}`, row.body);
    return new TextEncoder().encode(text);
  }

  /** Puts somebody else's finished work into this queue: the way in for an exported package. */
  async adopt(row: Omit<QueueRow, 'body' | 'owner'>, body: Uint8Array<ArrayBuffer>): Promise<boolean> {
    if (await this.database.get('queue', [this.owner, row.id, row.rev])) return false;
    const sealed = await this.sealBody(row.id, row.rev, body);
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

  receipt(id: string, rev: number): Promise<ReceiptRow | undefined> {
    return this.database.get('receipts', [this.owner, id, rev]);
  }

  /** The oldest events, at most so many, each with its number. */
  async events(most: number): Promise<({ seq: number } & Record<string, unknown>)[]> {
    const rows = await this.database.getAll('events', this.eventRange(), most);
    const open = async ({ seq, sealed }: EventRow) => ({ seq, ...(await unseal<Record<string, unknown>>(this.key, `event/${this.owner}`, sealed)) });
    return Promise.all(rows.map(open));
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
    return this.database.count('events', this.eventRange());
  }

  async dropEvents(through: number): Promise<void> {
    await this.database.delete('events', IDBKeyRange.bound([this.owner, 0], [this.owner, through]));
  }

  private eventRange(): IDBKeyRange {
    return IDBKeyRange.bound([this.owner, 0], [this.owner, Number.MAX_SAFE_INTEGER]);
  }
}
