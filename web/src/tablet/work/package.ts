import { fromBase64, base64, openLock, unseal, type Lock } from '../store/crypto';
import { sealFor, wide } from '../store/office';
import type { QueueRow } from '../store/database';
import type { Session } from '../store/session';
import { rest } from './rest';
import type { SealingKey, Visit } from './types';

/**
 * What leaves a tablet whose storage fails: finished and unfinished work in one file, sealed under a key of its own that only the
 * PIN opens. Any enrolled tablet can take it in again, and what is finished goes to the server by the usual way: as the sealed record
 * that it is, which the PIN does not open either. The finished records stand in it once more for the office, which takes them in
 * without a PIN.
 */
const FORMAT = 'scilit-tablet-package/3';

/** Packages of earlier programs: without the office's part, and with records that the PIN opens. */
const FORMATS = ['scilit-tablet-package/1', 'scilit-tablet-package/2', FORMAT];

interface Office {
  office_key: string;
  office_enc: string;
  office_data: string;
}

interface File extends Partial<Office> {
  format: string;
  made_at: string;
  device: string;
  salt: string;
  iterations: number;
  wrapped: string;
  iv: string;
  data: string;
}

/** A finished record: for the server alone, or where it could not be sealed as text. */
export type PackedRow = Omit<QueueRow, 'body'> & { body: string | null };

export interface Content {
  rows: PackedRow[];
  visits: Visit[];
}

/** Finished work, and every visit as it stands in memory, also when it could not be written. */
export async function contentOf(session: Session, visits: readonly Visit[]): Promise<Content> {
  const rows: PackedRow[] = [];
  for (const row of await session.queue().catch(() => [])) {
    const body = row.office ? null : await session.bodyOf(row).catch(() => null);
    if (!row.office && !body) continue;
    const packed: Omit<QueueRow, 'body'> = row;
    rows.push({ ...packed, body: body && new TextDecoder().decode(body) });
  }
  return { rows, visits: visits.filter((visit) => visit.interview !== null || visit.finished.length > 0).map(rest) };
}

/** The finished records as lines of a batch, sealed to the server's key and to this tablet's name. */
export async function forOffice(rows: readonly PackedRow[], sealing: SealingKey, device: string): Promise<Office> {
  const line = ({ id, rev, sha256, body, office }: PackedRow) => (office ? { id, rev, sha256, sealed: office } : { id, rev, sha256, body });
  const lines = rows.map((row) => JSON.stringify(line(row))).join('\n');
  const { key, enc, data } = await sealFor(sealing, device, { purpose: FORMAT, names: [] }, new TextEncoder().encode(lines));
  return { office_key: key, office_enc: enc, office_data: data };
}

/** The key may be missing on a tablet that enrolled at an older server; whatever else fails, the rest of the package is made. */
async function officePart(session: Session, content: Content): Promise<Office | undefined> {
  const sealing = await session.book().then((book) => book.sealing).catch(() => null);
  return sealing && content.rows.length > 0 ? forOffice(content.rows, sealing, session.profile.device).catch(() => undefined) : undefined;
}

export async function pack(session: Session, content: Content): Promise<string> {
  const { lock, device } = session.profile;
  const { iv, data } = await session.sealFor('package', content);
  const office = await officePart(session, content);
  const file: File = {
    format: FORMAT,
    made_at: new Date().toISOString(),
    device,
    salt: base64(lock.salt),
    iterations: lock.iterations,
    wrapped: base64(new Uint8Array(lock.wrapped)),
    iv: base64(iv),
    data: wide(new Uint8Array(data)),
    ...office,
  };
  return JSON.stringify(file);
}

/** The content of a package, or null when it is none or the PIN is not the one of the tablet it came from. */
export async function unpack(text: string, pin: string): Promise<Content | null> {
  try {
    const file = JSON.parse(text) as File;
    if (!FORMATS.includes(file.format)) return null;
    const lock: Lock = { salt: fromBase64(file.salt), iterations: file.iterations, wrapped: fromBase64(file.wrapped).buffer };
    const key = await openLock(lock, pin);
    return key && (await unseal<Content>(key, 'package', { iv: fromBase64(file.iv), data: fromBase64(file.data).buffer }));
  } catch {
    return null;
  }
}

/** Puts the finished work of a package into this person's queue; how many were new. */
export async function adopt(session: Session, content: Content): Promise<number> {
  let taken = 0;
  for (const { body, ...row } of content.rows) {
    const fresh = { ...row, state: 'queued' as const, tries: 0, next: 0, reason: null, title: null };
    if (await session.adopt(fresh, body === null ? null : new TextEncoder().encode(body))) taken += 1;
  }
  return taken;
}

