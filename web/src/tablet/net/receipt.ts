import { fromBase64 } from '../store/crypto';
import type { ServerKey } from '../work/types';

/** What the server signs a receipt as. */
const PURPOSE = 'scilit receipt v2';

export interface Receipt {
  readonly id: string;
  readonly rev: number;
  readonly sha256: string;
  readonly server_seq: number;
  readonly received_at: string;
  readonly conflict: boolean;
  readonly short_code: string;
  readonly key_id: string | null;
  readonly signature?: string;
}

/** The receipt in an answer, sign for sign: the signature is over the text, not over what a parser makes of it. */
export function receiptText(answer: string): string | null {
  const start = answer.indexOf('"receipt":{');
  if (start < 0) return null;
  const from = start + '"receipt":'.length;
  // A receipt is flat and none of its texts has a brace.
  const end = answer.indexOf('}', from);
  return end < 0 ? null : answer.slice(from, end + 1);
}

/** Whether a receipt is for these very bytes and signed by a key that was pinned at enrolment. */
export async function isProof(text: string, of: { id: string; rev: number; sha256: string }, pinned: readonly ServerKey[]): Promise<boolean> {
  let receipt: Receipt;
  try {
    receipt = JSON.parse(text) as Receipt;
  } catch {
    return false;
  }
  const fits = receipt.id === of.id && receipt.rev === of.rev && receipt.sha256 === of.sha256;
  const key = pinned.find((one) => one.id === receipt.key_id && one.algorithm === 'ed25519');
  const { signature } = receipt;
  if (!fits || !key || typeof signature !== 'string') return false;
  const unsigned = text.replace(`,"signature":"${signature}"`, '');
  if (unsigned === text) return false;
  try {
    return await verifies(keyBytes(key), fromBase64(signature), new TextEncoder().encode(`${PURPOSE}\n${unsigned}`));
  } catch {
    return false;
  }
}

/** `scilit+id+base64` of the byte 1 and the thirty-two bytes of the key. */
function keyBytes({ key }: ServerKey): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(key.split('+').slice(2).join('+'));
  if (bytes.length !== 33 || bytes[0] !== 1) throw new Error('not an Ed25519 key');
  return bytes.slice(1);
}

async function verifies(key: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>): Promise<boolean> {
  let known: CryptoKey;
  try {
    known = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
  } catch {
    // Browsers before 2025 have no Ed25519 of their own.
    const { verifyAsync } = await import('@noble/ed25519');
    return verifyAsync(signature, message, key);
  }
  return crypto.subtle.verify('Ed25519', known, signature, message);
}

