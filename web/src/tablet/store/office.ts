/**
 * What only the office opens: sealed to the server's key, so that this tablet cannot read it again, with whatever PIN. HPKE
 * (RFC 9180) in base mode with what browsers have of their own.
 */

import type { SealingKey } from '../work/types';
import { base64, fromBase64 } from './crypto';

/** The media type of sealed bytes that take the place of a request's body. */
export const SEALED_MEDIA = 'application/vnd.scilit.sealed+json';

/** Sealed bytes as they lie and travel. */
export interface Envelope {
  /** The tablet that sealed them; another one may carry them on. */
  readonly tablet: string;
  /** The id of the server's key. */
  readonly key: string;
  readonly enc: string;
  readonly data: string;
}

/** What the bytes are: none can be taken for another's. */
export interface Bound {
  readonly purpose: string;
  readonly names: readonly string[];
}

// In pieces: a spread of a large array would overflow the stack.
export const wide = (bytes: Uint8Array): string => {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3 * 4096) parts.push(base64(bytes.subarray(at, at + 3 * 4096)));
  return parts.join('');
};

const utf8 = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer;

export async function sealFor(sealing: SealingKey, tablet: string, { purpose, names }: Bound, bytes: Uint8Array<ArrayBuffer>): Promise<Envelope> {
  const { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } = await import('@hpke/core');
  const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromBase64(sealing.key).buffer);
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: utf8(purpose) }, bytes, utf8([tablet, ...names].join('\n')));
  return { tablet, key: sealing.id, enc: base64(new Uint8Array(enc)), data: wide(new Uint8Array(ct)) };
}

/** A finished revision: bound to its id, number and digest, which stay readable. */
export const recordOf = ({ id, rev, sha256 }: { id: string; rev: number; sha256: string }): Bound => ({
  purpose: 'scilit-tablet-submission/1',
  names: [id, String(rev), sha256],
});

/** A batch of events as it is handed in. */
export const EVENTS: Bound = { purpose: 'scilit-tablet-events/1', names: [] };
