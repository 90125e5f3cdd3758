// What is left on a tablet of a finished interview, and what only the server opens.

import 'fake-indexeddb/auto';
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { base64, fromBase64 } from '../src/tablet/store/crypto';
import { openDatabase, type QueueRow } from '../src/tablet/store/database';
import { EVENTS, recordOf, sealFor, type Bound, type Envelope } from '../src/tablet/store/office';
import { Session } from '../src/tablet/store/session';
import { putAway } from '../src/tablet/work/away';
import { adopt, contentOf, forOffice } from '../src/tablet/work/package';
import { isAway, recalled, rest } from '../src/tablet/work/rest';
import { isFor } from '../src/tablet/work/returned';
import { emptyVisit, type Book, type CaseValue, type Interview, type SealingKey, type Visit } from '../src/tablet/work/types';

const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const bytes = (text: string) => new TextEncoder().encode(text);
let pair: CryptoKeyPair;
let sealing: SealingKey;

beforeAll(async () => {
  pair = await suite.kem.generateKeyPair();
  sealing = { id: '00000001', key: base64(new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey))) };
  // One page, one tab: nobody else asks for a lock.
  const request = async (...all: unknown[]): Promise<unknown> => (all.at(-1) as (lock: object) => unknown)({});
  vi.stubGlobal('navigator', { locks: { request } });
});

/** Opens an envelope as the server does. */
async function opened({ tablet, enc, data }: Envelope, { purpose, names }: Bound): Promise<string> {
  const how = { recipientKey: pair.privateKey, enc: fromBase64(enc).buffer, info: bytes(purpose).buffer };
  const text = await suite.open(how, fromBase64(data).buffer, bytes([tablet, ...names].join('\n')).buffer);
  return new TextDecoder().decode(text);
}

const interview: Interview = {
  id: 'i', rev: 1, began: { instrument: 'h', draw: null, assignment: 'a' }, parent_rev: null, startedAt: 5, activeMs: 7,
  answers: { sex: { v: 'male', n_changes: 0, ms: 3 }, age: { m: 'refused', n_changes: 2, ms: 4 } },
  order: ['sex', 'age'], at: 'review', confirmed: ['age/0'], brokenOff: null, comments: [], correction: '', note: '备注',
};
const member = { no: 1, sex: 'male', age: 44, eligible: true, relation: '户主' } as const;
const drawn = { method: 'uniform', n_eligible: 1, selected_no: 1, prob: 1, at: 4, order: [1], no: 1, reason: '', roster: [member] } as const;
const visitOf = (change: Partial<Visit> = {}): Visit => ({
  ...emptyVisit('s/000001'),
  attempts: [{ id: 'x', at: 1, outcome: '1.1', note: '门口有狗', gps: { lat: 1, lon: 2, accuracy: 3 } }],
  roster: [member], selections: [drawn], consent: { given: true, at_ms: 2, callback: false },
  finished: [{ id: 'i', rev: 1, sha256: 'd', at: 9, code: 'c', sealed: true, ...(interview.began && { began: interview.began }) }],
  last: interview,
  ...change,
});
const row = (change: Partial<QueueRow> = {}): Omit<QueueRow, 'body'> => ({
  owner: 'p', id: 'i', rev: 1, case: '000001', sha256: 'd', bytes: 1, finished: 9, code: 'c', state: 'queued',
  tries: 0, next: 0, reason: null, title: null, sentAt: null, judged: null, ...change,
});
const book = (): Book => ({ cursor: null, cases: {}, messages: [], policy: { grace_days: 7, min_release: null }, keys: [], sealing, token: 't', offsetMs: 0 });

let count = 0;
async function session(): Promise<Session> {
  count += 1;
  const database = await openDatabase(`seal-${count}`);
  const person = { id: 'p', name: '李雪', workId: null, device: 'tablet-1' };
  return Session.create(database, person, '314159', book(), (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])) as CryptoKeyPair);
}

describe('the rest of a visit', () => {
  it('tells nothing of answers, members or consent, and what the lists need', () => {
    const left = rest(visitOf());
    expect(left).toEqual({ ...emptyVisit('s/000001'), attempts: [{ id: 'x', at: 1, outcome: '1.1', note: '', gps: null }], finished: visitOf().finished });
    expect(isAway(left)).toBe(true);
  });

  it('is the whole visit while the record is not sealed, and while it is to be corrected', () => {
    const unsealed = visitOf({ finished: visitOf().finished.map((one) => ({ ...one, sealed: false })) });
    for (const whole of [unsealed, visitOf({ recalled: 1 }), emptyVisit('s/000002')]) expect(rest(whole)).toEqual(whole);
    const corrected = rest(visitOf({ interview: { ...interview, rev: 2 } }));
    expect(corrected.interview?.answers).toEqual(interview.answers);
    expect(corrected.last).toBeNull();
  });

  it('becomes the visit again from the bytes that were sent', () => {
    const { roster, selections, consent } = visitOf();
    const person = { no: 1, sex: 'male', age: 44, eligible: true };
    const sent = {
      id: 'i', rev: 1, parent_rev: null, consent, roster: [person], order_shown: ['sex', 'age'], broken_off: null, confirmed_checks: ['age/0'], correction: '', note: '备注',
      selections: [{ method: 'uniform', n_eligible: 1, selected_no: 1, prob: 1, at_ms: 4, reason: '', order: [1], roster: [person] }],
      answers: [{ i: 'sex', v: 'male', n_changes: 0, ms: 3 }, { i: 'age', m: 'refused', n_changes: 2, ms: 4 }, { i: 'left-out', m: 'not_asked' }],
      timing: { started_ms: 5, finished_ms: 9, active_ms: 7 },
    };
    const back = recalled(rest(visitOf()), JSON.stringify(sent));
    expect(back.last).toEqual(interview);
    expect({ ...back.selections[0], roster: [] }).toEqual({ ...selections[0], roster: [] });
    expect(back.roster).toEqual(roster.map((one) => ({ ...one, relation: '' })));
    expect(back.recalled).toBe(1);
    expect(rest(back)).toEqual(back);
  });

  it('a message is for the last revision and for no draft', () => {
    const message = { seq: 1, kind: 'returned', response: 'i', rev: 1, payload: {}, created_at_ms: 0, read_at_ms: null };
    expect(isFor(visitOf(), message)).toBe(true);
    expect(isFor(visitOf(), { ...message, rev: 2 })).toBe(false);
    expect(isFor(visitOf({ interview }), message)).toBe(false);
  });
});

describe('sealed to the server', () => {
  it('a record opens under its own id, revision and digest, and the tablet\'s name', async () => {
    const of = recordOf({ id: 'i', rev: 1, sha256: 'd' });
    const envelope = await sealFor(sealing, 'tablet-1', of, bytes('金丝雀'));
    expect(await opened(envelope, of)).toBe('金丝雀');
    await expect(opened(envelope, recordOf({ id: 'i', rev: 2, sha256: 'd' }))).rejects.toThrow();
    await expect(opened({ ...envelope, tablet: 'tablet-2' }, of)).rejects.toThrow();
  });

  it('a finished interview is readable while the PIN is not asked again, and on the disk never', async () => {
    const one = await session();
    const office = await sealFor(sealing, 'tablet-1', recordOf(row()), bytes('body'));
    await one.keepVisit(visitOf(), [], { queued: row({ office }), body: bytes('body') });
    const [queued] = await one.queue();
    if (!queued) throw new Error('nothing is queued');
    expect(queued.body).toBeNull();
    expect(await one.bodyOf(queued)).toEqual(bytes('body'));
    expect((await one.visit('s/000001'))?.last).toEqual(interview);
    expect((await one.visits())[0]).toEqual(rest(visitOf()));
    one.forgetFinished();
    expect(await one.bodyOf(queued)).toBeNull();
    expect((await one.visit('s/000001'))?.last).toBeNull();
  });

  it('what an earlier program left is sealed at the next unlock, events too; without a key it stays', async () => {
    const one = await session();
    const old = visitOf({ finished: [{ id: 'i', rev: 1, sha256: 'd', at: 9, code: 'c' }] });
    await one.keepVisit(old, [{ kind: 'paradata', name: 'begin' }, { kind: 'paradata', name: 'finish' }], { queued: row(), body: bytes('body') });
    one.forgetFinished();
    await putAway(one, { ...book(), sealing: null });
    expect((await one.visit('s/000001'))?.last).toEqual(interview);
    await putAway(one, book());
    const [queued] = await one.queue();
    expect(queued?.body).toBeNull();
    expect(queued?.office && (await opened(queued.office, recordOf(row())))).toBe('body');
    expect(await one.visit('s/000001')).toEqual(rest(visitOf()));
    expect(await one.countEvents()).toBe(2);
    const batch = await one.events(500);
    if (!batch || !('enc' in batch.content)) throw new Error('the events are not sealed');
    expect(batch).toMatchObject({ first: 2, through: 2 });
    expect((JSON.parse(await opened(batch.content, EVENTS)) as { events: { seq: number }[] }).events.map(({ seq }) => seq)).toEqual([1, 2]);
    // New ones come behind it, open; what is kept through the second goes.
    await one.keepVisit(old, [{ kind: 'paradata', name: 'card' }]);
    await one.dropEvents(2);
    expect(await one.events(500)).toMatchObject({ first: 3, through: 3, content: { events: [{ seq: 3, name: 'card' }] } });
  });

  it('an old copy of what the server has for good needs no record here to go', async () => {
    const one = await session();
    const old = visitOf({ finished: [{ id: 'i', rev: 1, sha256: 'd', at: 9, code: 'c' }] });
    await one.keepVisit(old, [], { queued: row(), body: bytes('body') });
    const [queued] = await one.queue();
    if (queued) await one.purge(queued);
    one.forgetFinished();
    await putAway(one, book());
    expect((await one.visit('s/000001'))?.last).toBeNull();
  });

  it('what came back stays while it is to be corrected, and goes when it is not', async () => {
    const one = await session();
    await one.keepVisit(visitOf({ recalled: 1 }));
    const held = (state: string): Book => ({ ...book(), cases: { 's/000001': { key: 's/000001', survey: 's', case: '000001', value: { state } as CaseValue } } });
    await putAway(one, held('returned'));
    expect((await one.visit('s/000001'))?.last).toEqual(interview);
    await putAway(one, held('void'));
    expect(await one.visit('s/000001')).toEqual(rest(visitOf()));
  });

  it('a package carries the sealed record, and another tablet takes it in as it is', async () => {
    const [one, other] = [await session(), await session()];
    const office = await sealFor(sealing, 'tablet-1', recordOf(row()), bytes('金丝雀'));
    await one.keepVisit(visitOf(), [], { queued: row({ office }), body: bytes('金丝雀') });
    const content = await contentOf(one, [visitOf()]);
    expect(JSON.stringify(content)).not.toContain('金丝雀');
    expect(content.visits[0]?.last).toBeNull();
    const part = await forOffice(content.rows, sealing, 'tablet-1');
    const lines = await opened({ tablet: 'tablet-1', key: part.office_key, enc: part.office_enc, data: part.office_data }, { purpose: 'scilit-tablet-package/3', names: [] });
    expect(JSON.parse(lines)).toEqual({ id: 'i', rev: 1, sha256: 'd', sealed: office });
    expect(await adopt(other, content)).toBe(1);
    expect((await other.queue())[0]).toMatchObject({ state: 'queued', body: null, office });
  });
});
