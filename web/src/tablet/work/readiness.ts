import { writesAndReads, type Database } from '../store/database';
import type { Book } from './types';

const MIB = 1024 * 1024;
const ROOM_MIN = 200 * MIB;
const ROOM_WARN = 500 * MIB;
const CLOCK_MAX_MS = 5 * 60_000;

export interface Finding {
  readonly id: 'storage' | 'room' | 'write' | 'forms' | 'shell' | 'clock' | 'place';
  readonly state: 'good' | 'warn' | 'bad';
  /** A number to show with it, where there is one. */
  readonly amount: string;
}

/** Why capture is refused in this browser altogether. */
export function refusal(agent = navigator.userAgent): 'embedded' | 'no-storage' | 'insecure' | null {
  // Their storage vanishes with the chat program's cache.
  if (/MicroMessenger|\bQQ\/|WeiBo|DingTalk|AlipayClient/i.test(agent)) return 'embedded';
  if (!('indexedDB' in globalThis)) return 'no-storage';
  return globalThis.crypto?.subtle ? null : 'insecure';
}

/** Everything that must be there before the tablet may leave the network. */
export async function findings(database: Database, book: Book): Promise<Finding[]> {
  const persisted = (await navigator.storage?.persist?.()) ?? false;
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  const room = quota - usage;
  const needed = [...new Set(Object.values(book.cases).map((one) => one.value.instrument))];
  const forms = await Promise.all(needed.map((hash) => database.get('instruments', hash)));
  const written = await writesAndReads(database).catch(() => false);
  const shell = (await navigator.serviceWorker?.getRegistration?.('/tablet/'))?.active ?? null;
  const offset = Math.abs(book.offsetMs);
  const roomy = room >= ROOM_WARN ? 'good' : room >= ROOM_MIN || persisted ? 'warn' : 'bad';
  return [
    { id: 'storage', state: persisted ? 'good' : room >= ROOM_MIN ? 'warn' : 'bad', amount: '' },
    { id: 'room', state: roomy, amount: String(Math.round(room / MIB)) },
    { id: 'write', state: written ? 'good' : 'bad', amount: '' },
    { id: 'forms', state: forms.every(Boolean) && forms.length > 0 ? 'good' : 'bad', amount: String(forms.filter(Boolean).length) },
    { id: 'shell', state: shell ? 'good' : 'bad', amount: '' },
    { id: 'clock', state: offset <= CLOCK_MAX_MS ? 'good' : 'warn', amount: String(Math.round(offset / 1000)) },
    { id: 'place', state: await placeState(), amount: '' },
  ];
}

async function placeState(): Promise<Finding['state']> {
  const state = await navigator.permissions?.query?.({ name: 'geolocation' }).catch(() => null);
  return state?.state === 'granted' ? 'good' : 'warn';
}
