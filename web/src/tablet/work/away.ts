import type { QueueRow } from '../store/database';
import { recordOf, sealFor, type Envelope } from '../store/office';
import type { Session } from '../store/session';
import type { SealingKey, Visit } from './types';

/** The name of the lock on a visit: whoever writes it has it. */
export const draftLock = (owner: Session, key: string): string => `draft:${owner.owner}/${key}`;

/**
 * A finished record for the server alone; null where it names no key, or what it names is none. Then the record stays under the
 * tablet's own key, and is sealed later.
 */
export const sealRecord = (sealing: SealingKey | null | undefined, owner: Session, row: { id: string; rev: number; sha256: string }, body: Uint8Array<ArrayBuffer>): Promise<Envelope | null> =>
  sealing ? sealFor(sealing, owner.profile.device, recordOf(row), body).catch(() => null) : Promise.resolve(null);

/**
 * Seals to the server whatever is finished and could be read with the PIN: events that wait, and records that an earlier program left
 * or that had no key to be sealed to. At every lock and every unlock.
 */
export async function putAway(owner: Session, sealing: SealingKey | null | undefined): Promise<void> {
  if (!sealing) return;
  await navigator.locks.request(`away:${owner.owner}`, async () => {
    await putRowsAway(owner, sealing);
    const rows = new Map((await owner.queue()).map((row) => [`${row.id}/${row.rev}`, row]));
    for (const visit of await owner.visits()) if (mayGo(visit, rows)) await putVisitAway(owner, visit.key, rows);
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

/** One that another tab has open is left for the next time. */
async function putVisitAway(owner: Session, key: string, rows: ReadonlyMap<string, QueueRow>): Promise<void> {
  await navigator.locks.request(draftLock(owner, key), { ifAvailable: true }, async (lock) => {
    const visit = lock && (await owner.visit(key));
    const done = visit?.finished.at(-1);
    if (!visit || !done || !mayGo(visit, rows)) return;
    const began = visit.last?.began;
    const finished = [...visit.finished.slice(0, -1), { ...done, sealed: true, ...(began && { began }) }];
    await owner.keepVisit({ ...visit, finished });
  });
}
