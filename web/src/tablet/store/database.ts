import { deleteDB, openDB, type DBSchema, type IDBPDatabase, type StoreNames } from 'idb';
import type { Lock, Sealed } from './crypto';
import type { Envelope } from './office';

/** Stores are only ever added to; nothing here drops a row that was not sent. */
const VERSION = 1;
const NAME = 'scilit-tablet';

/** One enrolled person on this tablet. What is readable here tells who works with the tablet, and nothing of any respondent. */
export interface Profile {
  readonly id: string;
  readonly name: string;
  readonly workId: string | null;
  readonly device: string;
  /** What the office calls this tablet; none from an older server. */
  readonly label?: string;
  readonly lock: Lock;
  /** Wrong PINs in a row. */
  misses: number;
  /** No PIN is looked at before. */
  waitUntil: number;
}

export type QueueState = 'queued' | 'sending' | 'sent' | 'verified' | 'purged' | 'parked';

/**
 * One finished revision. Its bytes are sealed to the server's key, and only where that was not possible to this tablet's own; the
 * rest is what the queue needs before anybody signs in.
 */
export interface QueueRow {
  readonly owner: string;
  readonly id: string;
  readonly rev: number;
  readonly case: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly finished: number;
  readonly code: string;
  state: QueueState;
  tries: number;
  /** Not before, epoch milliseconds. */
  next: number;
  /** Why it waits or is parked: a stable word, and the server's own title. */
  reason: string | null;
  title: string | null;
  sentAt: number | null;
  /** The server's word after it judged: parsed, surplus, quarantined. */
  judged: string | null;
  /** The bytes under the tablet's data key: from an earlier program, or while no key of the server's is known. */
  body: Sealed | null;
  /** The bytes for the server alone. */
  office?: Envelope | null;
}

/** A receipt, word for word as the server sent it: its signature is over these signs. */
export interface ReceiptRow {
  readonly owner: string;
  readonly id: string;
  readonly rev: number;
  readonly text: string;
  readonly at: number;
}

/** One event under the data key, or several for the server alone at the place of the last of them. */
export interface EventRow {
  readonly owner: string;
  readonly seq: number;
  readonly sealed?: Sealed;
  readonly office?: Envelope;
  readonly count?: number;
}

interface Schema extends DBSchema {
  meta: { key: string; value: unknown };
  profiles: { key: string; value: Profile };
  instruments: { key: string; value: { hash: string; text: string; sha256: string } };
  books: { key: string; value: { owner: string; sealed: Sealed } };
  visits: { key: [string, string]; value: { owner: string; key: string; sealed: Sealed }; indexes: { owner: string } };
  queue: { key: [string, string, number]; value: QueueRow; indexes: { owner: string } };
  receipts: { key: [string, string, number]; value: ReceiptRow };
  events: { key: [string, number]; value: EventRow };
  deviceKeys: { key: string; value: { owner: string; pair: CryptoKeyPair } };
}

export type Database = IDBPDatabase<Schema>;
export type Store = StoreNames<Schema>;

/** The data are of a newer program: this one must not touch them. */
export class NewerData extends Error {}

export async function openDatabase(name = NAME): Promise<Database> {
  try {
    return await openDB<Schema>(name, VERSION, {
      upgrade(database, from) {
        if (from < 1) createFirst(database);
      },
      // Another tab wants to upgrade: this one lets go and says so, instead of blocking it for ever.
      blocking: (_from, _to, event) => {
        (event.target as IDBDatabase).close();
        globalThis.dispatchEvent(new Event('scilit-database-closed'));
      },
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'VersionError') throw new NewerData();
    throw error;
  }
}

function createFirst(database: Database): void {
  database.createObjectStore('meta');
  database.createObjectStore('profiles', { keyPath: 'id' });
  database.createObjectStore('instruments', { keyPath: 'hash' });
  database.createObjectStore('books', { keyPath: 'owner' });
  database.createObjectStore('visits', { keyPath: ['owner', 'key'] }).createIndex('owner', 'owner');
  database.createObjectStore('queue', { keyPath: ['owner', 'id', 'rev'] }).createIndex('owner', 'owner');
  database.createObjectStore('receipts', { keyPath: ['owner', 'id', 'rev'] });
  database.createObjectStore('events', { keyPath: ['owner', 'seq'] });
  database.createObjectStore('deviceKeys', { keyPath: 'owner' });
}

/** A transaction that is on the disk when it is done, not merely in the system's memory. */
export const strict = <Names extends [Store, ...Store[]]>(database: Database, names: Names) =>
  database.transaction(names, 'readwrite', { durability: 'strict' });

/** Whether two writes in a row can be read back: the readiness check's own proof. */
export async function writesAndReads(database: Database): Promise<boolean> {
  for (const mark of [Math.random(), Math.random()]) {
    const tx = strict(database, ['meta']);
    await tx.objectStore('meta').put(mark, 'probe');
    await tx.done;
    if ((await database.get('meta', 'probe')) !== mark) return false;
  }
  return true;
}

/** For tests. */
export const removeDatabase = (name: string): Promise<void> => deleteDB(name);
