import { jsonOf, type Send } from '../net/api';
import { isProof } from '../net/receipt';
import type { Session } from '../store/session';
import type { Book } from './types';

const ITEMS_MAX = 1000;

/** What a tablet is given back with: for each revision the server's signed receipt, word for word. */
export interface Settled {
  readonly at: number;
  readonly name: string;
  readonly device: string;
  readonly receipts: readonly string[];
}

/** Why a tablet cannot be given back yet. */
export type Unsettled = 'open' | 'unsent' | 'unproven' | 'offline';

/**
 * Gives the tablet back: nothing unsent, every receipt good, and the server asked once more whether it knows each revision. Only
 * then everything of this person's leaves the tablet in one transaction, keys included: what a disk may still hold opens no more.
 */
export async function settle(session: Session, book: Book, send: Send, now: number): Promise<Settled | Unsettled> {
  if ((await session.visits()).some((visit) => visit.interview !== null)) return 'open';
  const rows = await session.queue();
  if (rows.some((row) => row.state !== 'verified' && row.state !== 'purged') || (await session.countEvents()) > 0) return 'unsent';
  const receipts: string[] = [];
  for (const row of rows) {
    const receipt = await session.receipt(row.id, row.rev);
    if (!receipt || !(await isProof(receipt.text, row, book.keys))) return 'unproven';
    receipts.push(receipt.text);
  }
  for (let at = 0; at < rows.length; at += ITEMS_MAX) {
    const have = rows.slice(at, at + ITEMS_MAX).map(({ id, rev, sha256 }) => ({ id, rev, sha256 }));
    const answer = await send('/reconcile', { method: 'POST', json: { have }, token: book.token });
    if (answer.kind !== 'ok') return 'offline';
    const { items } = jsonOf<{ items: { answer: string }[] }>(answer);
    if (items.length !== have.length || items.some((item) => item.answer !== 'known')) return 'unproven';
  }
  await session.forget();
  return { at: now, name: session.profile.name, device: session.profile.device, receipts };
}
