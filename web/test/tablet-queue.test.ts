// What an answer means for the queue, and when a body may leave the tablet.

import { describe, expect, it } from 'vitest';
import type { Answer, Problem } from '../src/tablet/net/api';
import { sender } from '../src/tablet/net/api';
import { addKeys } from '../src/tablet/net/engine';
import { afterAnswer, backOff, DAY_MS, mayPurge, unsent } from '../src/tablet/net/queue';
import { receiptText } from '../src/tablet/net/receipt';
import type { QueueRow } from '../src/tablet/store/database';
import { startTicking } from '../src/tablet/work/clock';
import { isOlder } from '../src/tablet/work/release';
import { drawPerson, uniform } from '../src/tablet/work/selection';
import { shortCode } from '../src/tablet/work/submission';
import type { Member } from '../src/tablet/work/types';

const row = (change: Partial<QueueRow> = {}): QueueRow => ({
  owner: 'o', id: 'i', rev: 1, case: '000001', sha256: 'x', bytes: 1, finished: 0, code: '', state: 'queued',
  tries: 0, next: 0, reason: null, title: null, sentAt: null, judged: null, body: null, ...change,
});
const refused = (change: Partial<Problem>): Answer => ({
  kind: 'refused',
  problem: { status: 400, code: 'x', title: '标题', retryable: false, action: 'none', retryAfterMs: null, text: '', ...change },
});
const ok: Answer = { kind: 'ok', status: 201, text: '', serverMs: null, etag: null };
const half = (): number => 0.5;

describe('acc028 purge', () => {
  it('acc028 happens in exactly one of the sixteen combinations', () => {
    const allowed: number[] = [];
    for (let bits = 0; bits < 16; bits += 1) {
      const has = (bit: number): boolean => (bits & (1 << bit)) !== 0;
      const graceMs = 7 * DAY_MS;
      const one = { receiptHolds: has(0), digestEqual: has(1), serverKnows: has(2), ageMs: has(3) ? graceMs + 1 : graceMs, graceMs };
      if (mayPurge(one)) allowed.push(bits);
    }
    expect(allowed).toEqual([15]);
  });
});

describe('after an answer', () => {
  it('nothing counts as sent without a receipt that holds, whatever the status', () => {
    expect(afterAnswer(row(), ok, false, 0, half).change).toMatchObject({ state: 'queued', reason: 'no-receipt' });
    expect(afterAnswer(row(), ok, true, 5, half).change).toMatchObject({ state: 'sent', sentAt: 5 });
  });

  it('no network and a login page wait, and hold up the rest of the round', () => {
    for (const why of ['network', 'portal'] as const)
      expect(afterAnswer(row(), { kind: 'offline', why }, false, 0, half)).toMatchObject({ change: { state: 'queued', reason: why, tries: 1 }, rest: 'wait' });
  });

  it('a fault of its own parks an item with the server\'s title and lets the others go on', () => {
    expect(afterAnswer(row(), refused({ status: 413, code: 'too-large' }), false, 0, half)).toEqual({
      change: { state: 'parked', reason: 'too-large', title: '标题' },
      rest: 'go on',
    });
    expect(afterAnswer(row(), refused({ status: 409, code: 'rev-conflict' }), true, 9, half).change).toMatchObject({ state: 'parked', sentAt: 9 });
  });

  it('damaged on the way is tried again; busy makes everybody wait as long as the server says', () => {
    expect(afterAnswer(row(), refused({ code: 'digest-mismatch', retryable: true }), false, 0, half)).toMatchObject({ change: { state: 'queued' }, rest: 'go on' });
    const busy = afterAnswer(row(), refused({ status: 503, retryable: true, retryAfterMs: 90_000 }), false, 0, half);
    expect(busy.rest).toBe('wait');
    expect(busy.change.next).toBeGreaterThanOrEqual(90_000);
    expect(afterAnswer(row(), refused({ status: 401, action: 'reauth', retryable: true }), false, 0, half).rest).toBe('sign in');
  });

  it('waits from about 2 s to 5 min, spread over the whole time', () => {
    expect(backOff(0, () => 0)).toBe(1000);
    expect(backOff(0, () => 1)).toBe(2000);
    expect(backOff(30, () => 1)).toBe(300_000);
    expect(backOff(3, () => 0.5)).toBeGreaterThan(backOff(3, () => 0.1));
  });

  it('counts what is only here: waiting, under way and parked', () => {
    const states = ['queued', 'sending', 'parked', 'sent', 'verified', 'purged'] as const;
    expect(unsent(states.map((state, n) => row({ state, finished: 10 - n })))).toEqual({ count: 3, oldest: 8 });
    expect(unsent([])).toEqual({ count: 0, oldest: null });
  });
});

describe('acc016 who answered', () => {
  const answered = (body: string, headers: Record<string, string>, status = 200) => sender('1', (() => Promise.resolve(new Response(body, { status, headers }))) as typeof fetch)('/x');

  it('acc016 only the marker shows that our server spoke', async () => {
    expect(await answered('<html>', { 'Content-Type': 'text/html' })).toEqual({ kind: 'offline', why: 'portal' });
    expect(await answered('<html>', {}, 502)).toEqual({ kind: 'offline', why: 'portal' });
    expect(await answered('{}', { 'X-Survey-Api': '1' })).toMatchObject({ kind: 'ok' });
    expect(await answered('not JSON', { 'X-Survey-Api': '1' }, 500)).toMatchObject({ kind: 'refused', problem: { status: 500, retryable: true } });
  });
});

describe('receipts and keys', () => {
  it('the receipt is cut out sign for sign', () => {
    expect(receiptText('{"receipt":{"id":"a","rev":1},"state":null}')).toBe('{"id":"a","rev":1}');
    expect(receiptText('{}')).toBeNull();
  });

  it('a key that was pinned is never replaced by a server that does not name it', () => {
    const [a, b] = ['a', 'b'].map((id) => ({ id, algorithm: 'ed25519', key: `scilit+${id}+x` }));
    if (!a || !b) throw new Error('two keys');
    expect(addKeys([a], [b])).toEqual([a]);
    expect(addKeys([a], [a, b])).toEqual([a, b]);
  });

  it('the code to read out is the one on the server\'s receipt', async () => {
    // From the server's own tests of its short codes.
    expect(await shortCode('a', 1, 'x')).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z*~$=U]$/);
    expect(await shortCode('a', 1, 'x')).not.toBe(await shortCode('a', 2, 'x'));
  });
});

describe('acc043 the selection', () => {
  const member = (no: number, sex: 'male' | 'female', age: number): Member => ({ no, sex, age, eligible: age >= 18 && age <= 69, relation: '' });
  const home = [member(1, 'female', 40), member(2, 'male', 44), member(3, 'male', 12), member(4, 'female', 66)];
  const draw = (u_num: string, method: 'uniform' | 'kish' = 'uniform', table: string | null = null) => ({ method, u_num, table, algorithm: 'uniform/1' });

  it('acc043 picks 1 + floor(u·n) exactly, also next to the borders', () => {
    expect(uniform('0', 3)).toBe(1);
    expect(uniform(String(2n ** 53n - 1n), 3)).toBe(3);
    expect(uniform(String(2n ** 52n), 2)).toBe(2);
    expect(uniform(String(2n ** 52n - 1n), 2)).toBe(1);
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (let k = 0n; k < 7000n; k += 1n) {
      const at = uniform(String(((2n * k + 1n) << 53n) / 14000n), 7) - 1;
      counts[at] = (counts[at] ?? 0) + 1;
    }
    expect(counts).toEqual([1000, 1000, 1000, 1000, 1000, 1000, 1000]);
  });

  it('acc042 the same roster gives the same person; men come first, the oldest first', () => {
    const drawn = drawPerson(draw('0'), home, 5, '');
    expect(drawn).toMatchObject({ n_eligible: 3, selected_no: 1, no: 2, order: [2, 4, 1], prob: 1 / 3 });
    expect(drawPerson(draw('0'), home, 9, '')).toMatchObject({ no: 2 });
    expect(drawPerson(draw('0'), [member(1, 'male', 80)], 0, '')).toBeNull();
  });

  it('acc043 Kish among five carries its own probability', () => {
    const five = [1, 2, 3, 4, 5].map((no) => member(no, 'male', 60 - no));
    expect(drawPerson(draw('0', 'kish', 'C'), five, 0, '')).toMatchObject({ selected_no: 3, prob: 3 / 12 });
    expect(drawPerson(draw('0', 'kish', 'A'), five, 0, '')).toMatchObject({ selected_no: 1, prob: 2 / 12 });
    expect(drawPerson(draw('0', 'kish', null), five, 0, '')).toBeNull();
  });
});

describe('acc004 time', () => {
  it('acc004 half an hour between two ticks is sleep and counts for nothing', () => {
    let now = 0;
    let tick = (): void => undefined;
    const gaps: number[] = [];
    const every = (work: () => void): (() => void) => ((tick = work), () => undefined);
    const clock = startTicking({ mono: () => now, every, paused: (gap) => gaps.push(gap) });
    for (const step of [1000, 1000, 1_800_000, 1000]) {
      now += step;
      tick();
    }
    expect(clock.take()).toBe(3000);
    expect(clock.take()).toBe(0);
    expect(gaps).toEqual([1_800_000]);
  });
});

describe('acc032 releases', () => {
  it('acc032 compare by number', () => {
    expect(isOlder('0.9.0', '0.10.0')).toBe(true);
    expect(isOlder('1.0', '1.0.0')).toBe(false);
    expect(isOlder('2', '1.9')).toBe(false);
    expect(isOlder('beta', '0.1')).toBe(true);
  });
});
