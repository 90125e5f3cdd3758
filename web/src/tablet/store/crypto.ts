/**
 * What lies on the tablet is readable only with its PIN: PIN → PBKDF2 → AES-KW of a random AES-GCM data key. WebCrypto does all
 * of it; this file only names the parameters.
 */

const ITERATIONS = 600_000;
const TEXT = new TextEncoder();

/** What is kept to open the data key again. None of it is secret without the PIN. */
export interface Lock {
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly iterations: number;
  readonly wrapped: ArrayBuffer;
}

export interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly data: ArrayBuffer;
}

async function fromPin(pin: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey('raw', TEXT.encode(pin.normalize('NFKC')), 'PBKDF2', false, ['deriveKey']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations };
  return crypto.subtle.deriveKey(how, secret, { name: 'AES-KW', length: 256 }, false, ['wrapKey', 'unwrapKey']);
}

/** A fresh data key behind a PIN. The key that is handed out cannot be exported again. */
export async function makeLock(pin: string): Promise<{ lock: Lock; key: CryptoKey }> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']);
  const wrapped = await crypto.subtle.wrapKey('raw', fresh, await fromPin(pin, salt, ITERATIONS), 'AES-KW');
  const lock = { salt, iterations: ITERATIONS, wrapped };
  const key = await openLock(lock, pin);
  if (!key) throw new Error('the lock does not open with its own PIN');
  return { lock, key };
}

/** The data key, or null when the PIN is wrong: AES-KW checks itself. */
export async function openLock(lock: Lock, pin: string): Promise<CryptoKey | null> {
  const wrapping = await fromPin(pin, lock.salt, lock.iterations);
  try {
    return await crypto.subtle.unwrapKey('raw', lock.wrapped, wrapping, 'AES-KW', 'AES-GCM', false, ['encrypt', 'decrypt']);
  } catch {
    return null;
  }
}

/** `place` is authenticated with the data: a row that somebody moves elsewhere does not open there. */
export async function seal(key: CryptoKey, place: string, value: unknown): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const how = { name: 'AES-GCM', iv, additionalData: TEXT.encode(place) };
  return { iv, data: await crypto.subtle.encrypt(how, key, TEXT.encode(JSON.stringify(value))) };
}

export async function unseal<T>(key: CryptoKey, place: string, { iv, data }: Sealed): Promise<T> {
  const how = { name: 'AES-GCM', iv, additionalData: TEXT.encode(place) };
  return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, key, data))) as T;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
