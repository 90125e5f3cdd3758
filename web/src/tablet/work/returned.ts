import type { Answer, Send } from '../net/api';
import { draftLock, type Session } from '../store/session';
import { isAway, recalled } from './rest';
import { digestOf } from './submission';
import type { Book, InboxMessage, Visit } from './types';

/** The visit with its answers, or why they could not be had; `refused` comes with the server's own title. */
export type Recalled =
  | { readonly kind: 'here'; readonly visit: Visit }
  | { readonly kind: 'offline'; readonly why: (Answer & { kind: 'offline' })['why'] }
  | { readonly kind: 'refused'; readonly title: string }
  | { readonly kind: 'differs' };

/** Whether a message sent the visit's last revision back, and nobody has begun to correct it. */
export function isFor(visit: Visit, { response, rev, kind }: InboxMessage): boolean {
  const done = visit.finished.at(-1);
  return kind === 'returned' && visit.interview === null && done?.id === response && done.rev === rev;
}

/** The answers that came back: from memory while they can be read, else from the server, whose log says so. */
export async function recall(book: Book, send: Send, visit: Visit): Promise<Recalled> {
  const done = visit.finished.at(-1);
  if (!done || !isAway(visit)) return { kind: 'here', visit: { ...visit, recalled: done?.rev ?? null } };
  const answer = await send(`/responses/${done.id}/returned`, { token: book.token });
  if (answer.kind === 'offline') return answer;
  if (answer.kind === 'refused') return { kind: 'refused', title: answer.problem.title };
  // What is corrected is what was sent from here, byte for byte.
  if ((await digestOf(new TextEncoder().encode(answer.text))) !== done.sha256) return { kind: 'differs' };
  return { kind: 'here', visit: recalled(visit, answer.text) };
}

/** Whether a case is this person's to correct, as far as the tablet was told. */
export const isReturned = (book: Book, key: string): boolean => book.cases[key]?.value.state === 'returned' && !book.cases[key].moved;

/** The visits that came back and whose answers are not kept here yet, by the case's key. */
async function wanted(owner: Session, book: Book): Promise<string[]> {
  const rows = await owner.queue();
  const keys = new Set<string>();
  for (const message of book.messages) {
    const row = rows.find((one) => one.id === message.response && one.rev === message.rev);
    const cases = row ? Object.keys(book.cases).filter((key) => key.endsWith(`/${row.case}`)) : [];
    for (const key of cases.filter((one) => isReturned(book, one))) {
      const visit = await owner.visit(key);
      const isMissing = visit && isFor(visit, message) && visit.recalled !== message.rev && visit.finished.at(-1)?.sealed;
      if (isMissing && !owner.declined.has(key)) keys.add(key);
    }
  }
  return [...keys];
}

/**
 * Fetches what came back as soon as it is heard of, so that it can be corrected where there is no network. A visit that is on a screen
 * is left to it. Hands on why the line is gone, if it is.
 */
export async function recallAll(owner: Session, book: Book, send: Send, here: (visit: Visit) => void): Promise<(Recalled & { kind: 'offline' }) | null> {
  for (const key of await wanted(owner, book)) {
    const result = await navigator.locks.request(draftLock(owner, key), { ifAvailable: true }, async (lock) => {
      const visit = lock && (await owner.visit(key));
      const got = visit && (await recall(book, send, visit));
      if (got?.kind === 'here') {
        await owner.keepVisit(got.visit);
        here(got.visit);
      } else if (got && got.kind !== 'offline') owner.declined.add(key);
      return got;
    });
    if (result?.kind === 'offline') return result;
  }
  return null;
}
