import { jsonOf, type Send } from '../net/api';
import type { Session } from '../store/session';
import type { Book, Case, Contact } from './types';

/** What the log of the office says of each reading. */
const REASON = '入户访问';

/** `refused` comes with the server's own title. */
export type Reading = { readonly kind: 'read' } | { readonly kind: 'offline' } | { readonly kind: 'refused'; readonly title: string };

/** Reads where one case is and keeps it sealed with the rest, so that it is there without a network, too. */
export async function readContact(session: Session, book: Book, send: Send, work: Case, now: number): Promise<Reading> {
  const path = `/cases/${encodeURIComponent(work.survey)}/${encodeURIComponent(work.case)}/contact`;
  const answer = await send(path, { method: 'POST', json: { reason: REASON }, token: book.token });
  if (answer.kind === 'offline') return { kind: 'offline' };
  if (answer.kind === 'refused' && answer.problem.status !== 404) return { kind: 'refused', title: answer.problem.title };
  const told = answer.kind === 'ok' ? jsonOf<Omit<Contact, 'read_at'>>(answer) : null;
  const contact = told && { address: told.address, name: told.name, phone: told.phone, phone_masked: told.phone_masked, note: told.note, read_at: now };
  book.contacts = { ...book.contacts, [work.key]: contact };
  await session.keepBook(book);
  return { kind: 'read' };
}
