// What somebody reads from a tablet's disk who has the PIN: derives the data key as the program does and tries every row.

import { PIN } from './tablet.mjs';

/**
 * The texts that the data key opens, with the store each lies in. GCM's own cipher is AES-CTR from 2 on, which asks for no
 * authenticated place: a row cannot hide behind one that the reader does not guess.
 */
export const openedRows = (t, pin = PIN) =>
  t.page.evaluate(async (word) => {
    const database = await new Promise((resolve, reject) => {
      const asked = indexedDB.open('scilit-tablet');
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
    const rows = [];
    for (const store of database.objectStoreNames) {
      const all = database.transaction(store).objectStore(store).getAll();
      await new Promise((resolve) => (all.onsuccess = resolve));
      rows.push(...all.result.map((row) => ({ store, row })));
    }
    database.close();
    const secret = await crypto.subtle.importKey('raw', new TextEncoder().encode(word), 'PBKDF2', false, ['deriveKey']);
    const keys = [];
    for (const { row } of rows.filter(({ store }) => store === 'profiles')) {
      const { salt, iterations, wrapped } = row.lock;
      const by = await crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, secret, { name: 'AES-KW', length: 256 }, false, ['unwrapKey']);
      keys.push(await crypto.subtle.unwrapKey('raw', wrapped, by, 'AES-KW', 'AES-CTR', false, ['decrypt']));
    }
    const sealed = (value) => {
      if (value === null || typeof value !== 'object' || value instanceof CryptoKey) return [];
      if (value.iv instanceof Uint8Array && value.data instanceof ArrayBuffer) return [value];
      return Object.values(value).flatMap(sealed);
    };
    const opened = [];
    for (const { store, row } of rows) {
      // What is not sealed at all can be read without a key.
      opened.push({ store, text: JSON.stringify(row) });
      for (const { iv, data } of sealed(row))
        for (const key of keys) {
          const counter = new Uint8Array(16);
          counter.set(iv);
          counter[15] = 2;
          const bytes = await crypto.subtle.decrypt({ name: 'AES-CTR', counter, length: 32 }, key, data.slice(0, -16));
          opened.push({ store, text: new TextDecoder().decode(bytes) });
        }
    }
    return opened;
  }, pin);

/** The stores in which the data key opens a row with these words. */
export async function storesThatTell(t, words, pin = PIN) {
  const rows = await openedRows(t, pin);
  return [...new Set(rows.filter(({ text }) => text.includes(words)).map(({ store }) => store))].sort();
}

/** The queue's rows as they lie, with what of their bytes is there. */
export const queueRows = (t) =>
  t.page.evaluate(
    () =>
      new Promise((resolve) => {
        const asked = indexedDB.open('scilit-tablet');
        asked.onsuccess = () => {
          const all = asked.result.transaction('queue').objectStore('queue').getAll();
          all.onsuccess = () => {
            asked.result.close();
            resolve(all.result.map(({ case: number, rev, state, sha256, body, office }) => ({ case: number, rev, state, sha256, body: body !== null, office: office ?? null })));
          };
        };
      }),
  );
