// Opens what a tablet sealed to the server, with the server's own key: what goes over the line can then be looked at.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } = require('@hpke/core');
const bytes = (text) => new Uint8Array(Buffer.from(text)).buffer;
const decoded = (text) => new Uint8Array(Buffer.from(text, 'base64')).buffer;

/** The text in an envelope for this purpose, bound to these names besides the tablet's. */
async function opened(field, { tablet, enc, data }, purpose, names = []) {
  const secret = readFileSync(join(field.server.env.SCILIT_KEY_DIR, 'sealing.toml'), 'utf8').match(/secret = "([^"]+)"/)[1];
  const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientKey = await suite.kem.importKey('raw', decoded(secret), false);
  const text = await suite.open({ recipientKey, enc: decoded(enc), info: bytes(purpose) }, decoded(data), bytes([tablet, ...names].join('\n')));
  return Buffer.from(text).toString();
}

/** Every event that went over the line so far, open or sealed. */
export async function eventsOf(field) {
  const batches = field.line.seen.filter((one) => one.path === '/api/v1/events:batch').map((one) => JSON.parse(one.body));
  const open = async (batch) => ('enc' in batch ? JSON.parse(await opened(field, batch, 'scilit-tablet-events/1')) : batch);
  return (await Promise.all(batches.map(open))).flatMap((batch) => batch.events);
}
