import type { QueueRow } from '../store/database';
import { recordOf, sealFor, type Envelope } from '../store/office';
import { draftLock, type Session } from '../store/session';
import { isReturned } from './returned';
import type { Book, SealingKey, Visit } from './types';

/**
 * A finished record for the server alone; null where it names no key, or what it names is none. Then the record stays under the
 * tablet's own key, and is sealed later.
 */
export const sealRecord = (sealing: SealingKey | null | undefined, owner: Session, row: { id: string; rev: number; sha256: string }, body: Uint8Array<ArrayBuffer>): Promise<Envelope | null> =>
  sealing ? sealFor(sealing, owner.profile.device, recordOf(row), body).catch(() => null) : Promise.resolve(null);

/**
 * Seals to the server whatever is finished and could be read with the PIN: events that wait, and records that an earlier program left
 * or that had no key to be sealed to. What came back and is not to be corrected any more goes as well. At every lock and every unlock.
 */
export async function putAway(owner: Session, book: Book | null): Promise<void> {
  const sealing = book?.sealing;
  if (!sealing) return;
  await navigator.locks.request(`away:${owner.owner}`, async () => {
    await putRowsAway(owner, sealing);
    const rows = new Map((await owner.queue()).map((row) => [`${row.id}/${row.rev}`, row]));
    for (const visit of await owner.visits()) if (mayGo(visit, rows) || isSettled(visit, book)) await putVisitAway(owner, visit.key, rows, book);
    await owner.sealEvents(sealing);
  });
}

async function putRowsAway(owner: Session, sealing: SealingKey): Promise<void> {
  for (const row of (await owner.queue()).filter((one) => one.body && !one.office)) {
    const body = await owner.bodyOf(row);
    const office = body && (await sealRecord(sealing, owner, row, body));
    if (office) await owner.sealRow(row, office);
  }
}

/** Whether the record of a visit's last revision is safe without the answers beside it: sealed here, or proven to be on the server. */
function mayGo(visit: Visit, rows: ReadonlyMap<string, QueueRow>): boolean {
  const done = visit.finished.at(-1);
  const row = done && !done.sealed && rows.get(`${done.id}/${done.rev}`);
  return row ? Boolean(row.office) || row.state === 'purged' : false;
}

/** Whether a visit was fetched to be corrected, and is voided, or somebody else's, before anybody began. */
const isSettled = (visit: Visit, book: Book): boolean => visit.recalled !== null && visit.interview === null && !isReturned(book, visit.key);

/** One that another tab has open is left for the next time. */
async function putVisitAway(owner: Session, key: string, rows: ReadonlyMap<string, QueueRow>, book: Book): Promise<void> {
  await navigator.locks.request(draftLock(owner, key), { ifAvailable: true }, async (lock) => {
    const visit = lock && (await owner.visit(key));
    const done = visit?.finished.at(-1);
    if (!visit || !done) return;
    if (isSettled(visit, book)) await owner.keepVisit({ ...visit, recalled: null });
    if (!mayGo(visit, rows)) return;
    const began = visit.last?.began;
    const finished = [...visit.finished.slice(0, -1), { ...done, sealed: true, ...(began && { began }) }];
    await owner.keepVisit({ ...visit, finished });
  });
}
