// Finished interviews are for the server alone: what a lost tablet tells to somebody who knows the PIN, and how the work goes on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { openedRows, queueRows, storesThatTell } from './disk.mjs';
import { Field } from './field.mjs';
import { PIN, Tablet } from './tablet.mjs';

const CANARY = '金丝雀7Q2XVN';
const SEALED = 'application/vnd.scilit.sealed+json';
let field;
let tablets = [];

async function joined() {
  const t = await Tablet.joined(field);
  tablets.push(t);
  return t;
}

before(async () => {
  field = await Field.open({ cases: 8 });
});
afterEach(async () => {
  for (const t of tablets) await t.close();
  tablets = [];
  Object.assign(field.line, { mode: 'pass', only: /^\/api\//, rewrite: null, seen: [] });
});
after(() => field?.close());

const cut = () => Object.assign(field.line, { mode: 'dead', only: /./ });
const of = async (number) => (await field.responses()).filter((one) => one.case === number);
const puts = (id) => field.line.seen.filter((one) => one.method === 'PUT' && one.path.includes(`/submissions/${id}`));

/** An interview with the canary in an answer, in the surveyor's note and in the note of a visit. */
async function interview(t, number) {
  await t.openCase(number);
  await t.page.locator('#note').fill(`备注${CANARY}`);
  await t.page.locator('[data-outcome="2.24"]').click();
  await t.page.locator('[data-test=contact][aria-busy=false]').waitFor();
  await t.admit();
  await t.talk(undefined, { comment: `建议${CANARY}` });
  await t.at('review').waitFor();
}

const sendBack = async (number, items = ['comment']) => {
  const [kept] = await of(number);
  const item_comments = items.map((item) => ({ item, comment: '请核实' }));
  await field.supervisor.send('POST', `/api/v1/responses/${kept.id}/return`, { rev: 1, reason_code: 'check', comment: '', item_comments });
  return kept.id;
};

async function correct(t) {
  await t.page.locator('[data-item=comment]').waitFor();
  assert.equal(await t.page.locator('textarea').inputValue(), `建议${CANARY}`, 'the answers are there');
  await t.page.locator('textarea').fill('更正后的建议');
  await t.next('comment');
  while ((await t.page.locator('[data-item]').count()) > 0) await t.next(await t.item());
  await t.page.locator('#correction').fill('受访者更正');
  await t.finish();
}

describe('acc061 the tablet is lost and its PIN is known', () => {
  it('acc061 before the interview is finished the data key opens it, from then on nothing, and the sealed record uploads', async () => {
    const t = await joined();
    cut();
    await interview(t, '000001');
    assert.deepEqual(await storesThatTell(t, CANARY), ['events', 'visits'], 'the control: the search finds what the PIN opens');
    await t.finish();
    const finished = async (when) => {
      assert.deepEqual(await storesThatTell(t, CANARY), [], when);
      // Nor does anything tell which questions were asked, who lives there, or that somebody agreed.
      const rows = await openedRows(t);
      assert.ok(rows.length > 10, `${rows.length} rows were opened`);
      for (const { store, text } of rows.filter((one) => ['visits', 'queue', 'events'].includes(one.store)))
        for (const told of ['"n_changes"', '"item":"K', '"sex":"female"', '"given":true']) assert.ok(!text.includes(told), `${when}: ${store} tells ${told}`);
    };
    await finished('not even before the lock: a tablet whose battery runs out then is no other');
    await t.at('lock').click();
    await t.at('unlock').waitFor();
    await t.page.waitForTimeout(500);
    await finished('locked');
    await t.kill();
    await t.power();
    field.line.mode = 'pass';
    await t.open(field);
    await finished('started again');
    field.line.mode = 'dead';
    await t.unlock();
    await t.waitState('000001', 'queued');
    await finished('opened again');
    const [row] = await queueRows(t);
    assert.equal(row.body, false);
    field.line.mode = 'pass';
    await t.upload();
    await t.waitState('000001', 'verified');
    const [kept] = await of('000001');
    assert.equal(kept.state, 'parsed');
    const sent = puts(kept.id).filter((one) => one.mode === 'pass').at(-1);
    assert.equal(JSON.parse(sent.body).key, row.office.key, 'it went as it lay');
    assert.ok(!sent.body.includes('"answers"'));
    const { answers } = await field.response(kept.id);
    assert.ok(JSON.stringify(answers).includes(CANARY), 'the server reads it');
    await t.go('end');
    await t.at('end').filter({ hasText: '可以收工' }).waitFor();
    assert.ok(field.line.seen.some((one) => one.path === '/api/v1/events:batch' && one.body.includes('"enc"')), 'the events went sealed');
    await t.clean();
  });

  it('acc061 without a key of the server\'s it stays under the PIN, and is sealed as soon as there is one and the tablet is locked', async () => {
    field.line.rewrite = ({ request, status, headers, bytes }) =>
      /enrol$|manifest$/.test(request.path) && status < 300 ? { status, headers, body: bytes.toString().replace(/"sealing_key":\{[^}]*\}/, '"sealing_key":null') } : null;
    const t = await joined();
    Object.assign(field.line, { mode: 'dead', only: /\/submissions|\/events/ });
    await interview(t, '000002');
    await t.finish();
    assert.deepEqual(await storesThatTell(t, CANARY), ['events', 'queue', 'visits'], 'the control');
    await t.lockAndOpen();
    assert.deepEqual(await storesThatTell(t, CANARY), ['events', 'queue', 'visits'], 'nothing is lost');
    field.line.rewrite = null;
    await t.go('today');
    await t.at('sync').click();
    await t.page.locator('[data-test=sync]:enabled').waitFor();
    await t.lockAndOpen();
    assert.deepEqual(await storesThatTell(t, CANARY), []);
    field.line.mode = 'pass';
    await t.go('queue');
    await t.upload();
    await t.waitState('000002', 'verified');
    assert.equal((await of('000002'))[0].state, 'parsed');
    await t.clean();
  });
});

describe('a sealed record that the server cannot open', () => {
  it('is parked with the Chinese reason and stays', async () => {
    const t = await joined();
    field.line.mode = 'dead';
    await interview(t, '000003');
    await t.finish();
    await t.lockAndOpen();
    await t.page.evaluate(
      () =>
        new Promise((resolve) => {
          const asked = indexedDB.open('scilit-tablet');
          asked.onsuccess = () => {
            const store = asked.result.transaction('queue', 'readwrite').objectStore('queue');
            const all = store.getAll();
            all.onsuccess = () => {
              const [row] = all.result;
              store.put({ ...row, office: { ...row.office, key: '00000000' } }).onsuccess = () => resolve(asked.result.close());
            };
          };
        }),
    );
    field.line.mode = 'pass';
    await t.go('queue');
    await t.upload();
    await t.waitState('000003', 'parked');
    assert.match(await t.row('000003').innerText(), /为另一台服务器封存/);
    assert.match(await t.at('badge').innerText(), /未上传 1/);
    assert.ok((await queueRows(t))[0].office, 'it is still there');
    await t.clean();
  });
});

describe('acc050 returned work whose answers are not on the tablet', () => {
  it('acc050 is fetched as soon as the return is heard of, corrected without a network, and sealed again', async () => {
    const t = await joined();
    await interview(t, '000004');
    await t.finish();
    await t.waitState('000004', 'verified');
    await t.lockAndOpen();
    const id = await sendBack('000004');
    const first = (await field.response(id)).answers;
    await t.meet();
    assert.equal(field.line.seen.filter((one) => one.path.endsWith(`/responses/${id}/returned`)).length, 1, 'asked once');
    assert.deepEqual(await storesThatTell(t, CANARY), ['visits'], 'it is work again, under the PIN');
    await t.kill();
    cut();
    await t.power();
    field.line.only = /^\/api\//;
    await t.open(field);
    await t.unlock();
    await t.go('inbox');
    await t.page.locator('[data-message]').getByText('请核实').first().waitFor();
    await t.at('correct').click();
    await correct(t);
    assert.deepEqual(await storesThatTell(t, CANARY), [], 'corrected, it is the server\'s alone');
    await t.lockAndOpen();
    field.line.mode = 'pass';
    await t.go('queue');
    await t.upload();
    await t.waitState('000004', 'verified', 2);
    const [kept] = await of('000004');
    assert.equal(kept.state, 'under_review');
    const second = (await field.response(id)).answers;
    assert.deepEqual(Object.keys(second).sort(), Object.keys(first).sort());
    const { differences } = await field.supervisor.send('GET', `/api/v1/responses/${id}/diff?from=1&to=2`);
    // Roster, draw, orders and every other answer are what they were; the clock of the tablet may have been corrected.
    const changed = differences.map(({ item, field: part }) => item ?? part).filter((part) => part !== 'client');
    assert.deepEqual(changed.sort(), ['attempts_ref', 'comment', 'correction', 'timing'], JSON.stringify(differences));
    await t.clean();
  });

  it('acc050 what could not be fetched yet is said, and fetched when asked again', async () => {
    const t = await joined();
    await interview(t, '000005');
    await t.finish();
    await t.waitState('000005', 'verified');
    await t.lockAndOpen();
    await sendBack('000005');
    Object.assign(field.line, { mode: 'dead', only: /\/returned$/ });
    await t.meet();
    await t.go('inbox');
    await t.at('correct').click();
    await t.at('not-here').getByText('没有网络，取不到内容').waitFor();
    assert.deepEqual(await t.axe(), []);
    await t.pictures('not-here');
    field.line.mode = 'pass';
    await t.at('fetch-again').click();
    await correct(t);
    await t.waitState('000005', 'verified', 2);
    await t.clean();
  });
});

describe('acc005 a package with records that only the server opens', () => {
  it('acc005 tells nothing to who has the PIN; the office takes it in, and another tablet carries it on', async () => {
    const t = await joined();
    field.line.mode = 'dead';
    await interview(t, '000006');
    await t.finish();
    await t.lockAndOpen();
    await t.go('queue');
    await t.page.locator('summary').click();
    const [download] = await Promise.all([t.page.waitForEvent('download'), t.at('export').click()]);
    const path = `${t.folder}/saved.package`;
    await download.saveAs(path);
    const file = JSON.parse(readFileSync(path, 'utf8'));
    const text = await t.page.evaluate(
      async ([pin, { salt, iterations, wrapped, iv, data }]) => {
        const bytes = (of) => Uint8Array.from(atob(of), (sign) => sign.charCodeAt(0));
        const secret = await crypto.subtle.importKey('raw', new TextEncoder().encode(pin), 'PBKDF2', false, ['deriveKey']);
        const by = await crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt: bytes(salt), iterations }, secret, { name: 'AES-KW', length: 256 }, false, ['unwrapKey']);
        const key = await crypto.subtle.unwrapKey('raw', bytes(wrapped), by, 'AES-KW', 'AES-GCM', false, ['decrypt']);
        return new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes(iv), additionalData: new TextEncoder().encode('package') }, key, bytes(data)));
      },
      [PIN, file],
    );
    assert.ok(text.includes('000006') && !text.includes(CANARY) && !text.includes('"n_changes"'));
    field.line.mode = 'pass';
    const other = await joined();
    await other.go('queue');
    await other.page.locator('summary').click();
    await other.page.locator('#package').setInputFiles(path);
    await other.page.locator('#package-pin').fill(PIN);
    await other.at('import').click();
    await other.at('package-message').filter({ hasText: '已导入 1 份' }).waitFor();
    await other.waitState('000006', 'verified');
    assert.equal((await of('000006'))[0].state, 'parsed');
    const { results } = await field.supervisor.send('POST', '/api/v1/packages', file);
    assert.deepEqual(results.map((one) => one.status), [200], 'the office opens it, too, and has it already');
    await t.go('queue');
    await t.upload();
    await t.waitState('000006', 'verified');
    await t.clean();
    await other.clean();
  });
});

describe('the tablet goes back with sealed records', () => {
  it('is settled when the server knows them', async () => {
    const t = await joined();
    field.line.mode = 'dead';
    await interview(t, '000007');
    await t.finish();
    await t.lockAndOpen();
    field.line.mode = 'pass';
    await t.go('queue');
    await t.upload();
    await t.waitState('000007', 'verified');
    await t.go('settle');
    await t.page.locator('#word').fill('结清');
    await t.at('settle').click();
    await t.at('settled').getByText('已结清：1 份').waitFor();
    await t.clean();
  });
});
