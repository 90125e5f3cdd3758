import { fromBase64, base64, openLock, unseal, type Lock } from '../store/crypto';
import type { QueueRow } from '../store/database';
import type { Session } from '../store/session';
import type { SealingKey, Visit } from './types';

/**
 * What leaves a tablet whose storage fails: finished and unfinished work in one file, sealed under a key of its own that only the
 * PIN opens. Any enrolled tablet can take it in again, and what is finished goes to the server by the usual way. The finished
 * records stand in it once more, sealed to the server's key: the office takes them in without a PIN, and this tablet cannot read
 * that part again.
 */
const FORMAT = 'scilit-tablet-package/2';

/** Packages from before the office's part. */
const FORMATS = ['scilit-tablet-package/1', FORMAT];

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

export type PackedRow = Omit<QueueRow, 'body'> & { body: string };

export interface Content {
  rows: PackedRow[];
  visits: Visit[];
}

// In pieces: a spread of a large array would overflow the stack.
const wide = (bytes: Uint8Array): string => {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3 * 4096) parts.push(base64(bytes.subarray(at, at + 3 * 4096)));
  return parts.join('');
};

/** Finished work that no receipt covers yet, and every visit as it stands in memory, also when it could not be written. */
export async function contentOf(session: Session, visits: readonly Visit[]): Promise<Content> {
  const rows: PackedRow[] = [];
  for (const row of await session.queue().catch(() => [])) {
    const body = await session.bodyOf(row).catch(() => null);
    if (!body) continue;
    const packed: Omit<QueueRow, 'body'> = row;
    rows.push({ ...packed, body: new TextDecoder().decode(body) });
  }
  return { rows, visits: visits.filter((visit) => visit.interview !== null || visit.finished.length > 0) };
}

/** The finished records as lines of a batch, sealed to the server's key and to this tablet's name. */
export async function forOffice(rows: readonly PackedRow[], sealing: SealingKey, device: string): Promise<Office> {
  const { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } = await import('@hpke/core');
  const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromBase64(sealing.key).buffer);
  const lines = rows.map(({ id, rev, sha256, body }) => JSON.stringify({ id, rev, sha256, body })).join('\n');
  const bytes = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer;
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: bytes(FORMAT) }, bytes(lines), bytes(device));
  return { office_key: sealing.id, office_enc: base64(new Uint8Array(enc)), office_data: wide(new Uint8Array(ct)) };
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
    if (await session.adopt(fresh, new TextEncoder().encode(body))) taken += 1;
  }
  return taken;
}

