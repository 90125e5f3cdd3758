/**
 * Events on their way to the server. Nobody reads them here again, so with every finished interview and every lock those that
 * wait are sealed to the server's key: the items that were shown tell of answers, too.
 */

import type { SealingKey } from '../work/types';
import { seal, unseal } from './crypto';
import { strict, type Database, type EventRow } from './database';
import { EVENTS, sealFor, type Envelope } from './office';

/** An event before it has its number. */
export type TabletEvent = { readonly kind: 'paradata' | 'contact_attempt' } & Record<string, unknown>;

export type Numbered = { seq: number } & Record<string, unknown>;

/** What is handed in at once: events, or a sealed body that holds them. */
export interface Batch {
  readonly first: number;
  readonly through: number;
  readonly content: { readonly events: readonly Numbered[] } | Envelope;
}

/** Few enough that no batch of them is longer than the server takes. */
const PER_ENVELOPE = 250;

export const eventPlace = (owner: string): string => `event/${owner}`;

export class EventLog {
  constructor(
    private readonly database: Database,
    private readonly owner: string,
    private readonly key: CryptoKey,
  ) {}

  sealed(events: readonly TabletEvent[]) {
    return Promise.all(events.map((event) => seal(this.key, eventPlace(this.owner), event)));
  }

  private range(): IDBKeyRange {
    return IDBKeyRange.bound([this.owner, 0], [this.owner, Number.MAX_SAFE_INTEGER]);
  }

  private async opened(rows: readonly EventRow[]): Promise<Numbered[]> {
    const open = async ({ seq, sealed }: EventRow) => sealed && { seq, ...(await unseal<Record<string, unknown>>(this.key, eventPlace(this.owner), sealed)) };
    return (await Promise.all(rows.map(open))).filter((event) => event !== undefined);
  }

  /** The oldest that wait, at most so many. */
  async next(most: number): Promise<Batch | null> {
    const rows = await this.database.getAll('events', this.range(), most);
    const [head] = rows;
    if (!head) return null;
    if (head.office) return { first: head.seq, through: head.seq, content: head.office };
    const until = rows.findIndex((row) => row.office);
    const events = await this.opened(until < 0 ? rows : rows.slice(0, until));
    return { first: head.seq, through: events.at(-1)?.seq ?? head.seq, content: { events } };
  }

  async count(): Promise<number> {
    const rows = await this.database.getAll('events', this.range());
    return rows.reduce((sum, row) => sum + (row.count ?? 1), 0);
  }

  async drop(through: number): Promise<void> {
    await this.database.delete('events', IDBKeyRange.bound([this.owner, 0], [this.owner, through]));
  }

  /** Seals what waits to the server's key. A sealed row stands at its last number, so that it goes when all of it is kept. */
  async putAway(sealing: SealingKey, tablet: string): Promise<void> {
    const plain = (await this.database.getAll('events', this.range())).filter((row) => row.sealed);
    for (let at = 0; at < plain.length; at += PER_ENVELOPE) {
      const events = await this.opened(plain.slice(at, at + PER_ENVELOPE));
      const [first, last] = [events[0], events.at(-1)];
      if (!first || !last) return;
      const office = await sealFor(sealing, tablet, EVENTS, new TextEncoder().encode(JSON.stringify({ events })));
      const tx = strict(this.database, ['events']);
      const store = tx.objectStore('events');
      for (const { seq } of events) await store.delete([this.owner, seq]);
      await store.put({ owner: this.owner, seq: last.seq, office, count: events.length });
      await tx.done;
    }
  }
}
