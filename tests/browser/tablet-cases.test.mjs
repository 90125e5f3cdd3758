// What the office changes while a tablet is out: a case goes to somebody else, a newer questionnaire comes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { call, Field, QUESTIONNAIRE } from './field.mjs';
import { Tablet } from './tablet.mjs';

let field;
let tablets = [];

async function joined(code) {
  const t = await Tablet.joined(field, { code });
  tablets.push(t);
  return t;
}

before(async () => {
  field = await Field.open({ cases: 9 });
});
afterEach(async () => {
  for (const t of tablets) await t.close();
  tablets = [];
  Object.assign(field.line, { mode: 'pass', only: /^\/api\//, rewrite: null, seen: [] });
});
after(() => field?.close());

const of = async (number) => (await field.responses()).filter((one) => one.case === number);
const sentOf = (number) => field.line.seen.filter((one) => one.method === 'PUT' && one.body.includes(`"case":"${number}"`)).map((one) => JSON.parse(one.body));

async function sync(t) {
  await t.go('today');
  await t.at('sync').click();
  await t.page.locator('[data-test=sync]:enabled').waitFor();
}

describe('acc048 a case goes to somebody else', () => {
  it('acc048 the draft on the old tablet is ended and uploads, the new one uploads, and the supervisor chooses which one counts', async () => {
    const old = await joined();
    await old.openCase('000001');
    await old.admit();
    const shown = await old.talk(6);
    await old.at('pause').click();
    await old.at('leave-open').click();
    await old.at('case').waitFor();

    const other = await field.person('zhouning', 'surveyor', '周宁');
    await field.assign(other, ['000001', '000002']);
    await sync(old);
    assert.equal(await old.page.locator('[data-case="000002"]').count(), 0, 'a case that nobody had begun leaves the list');
    await old.page.locator('[data-case="000001"]').click();
    assert.match(await old.at('moved').innerText(), /已分配给其他访员/);
    await old.pictures('moved');
    assert.deepEqual(await old.axe(), []);
    // Also after a restart without a network.
    await old.kill();
    Object.assign(field.line, { mode: 'dead', only: /./ });
    await old.power();
    await old.open(field);
    await old.unlock();
    await old.openCase('000001');
    await old.at('continue').click();
    await old.page.locator(`[data-item="${shown.at(-1)}"]`).waitFor();
    await old.next(shown.at(-1));
    await old.talk();
    await old.finish();
    await old.waitState('000001', 'queued');

    field.line.mode = 'pass';
    const fresh = await joined(await field.code(other));
    await fresh.interview('000001');
    await fresh.waitState('000001', 'verified');
    await old.upload();
    await old.waitState('000001', 'verified');
    await old.page.getByText('列为多余样本待核').waitFor();

    const kept = await of('000001');
    assert.equal(kept.length, 2, 'both are kept');
    const [first, second] = ['parsed', 'surplus'].map((state) => kept.find((one) => one.state === state));
    assert.ok(first && second, JSON.stringify(kept.map((one) => one.state)));
    await field.supervisor.send('POST', `/api/v1/responses/${second.id}/promote`, { rev: 1, reason: '首次访问的一份更完整' });
    const chosen = await of('000001');
    assert.equal(chosen.find((one) => one.id === first.id).state, 'surplus');
    assert.ok(['parsed', 'under_review'].includes(chosen.find((one) => one.id === second.id).state));

    // What was sent stays to be seen for a day; no new interview begins.
    await sync(old);
    await old.openCase('000001');
    await old.at('done').waitFor();
    await old.clean();
    await fresh.clean();
  });
});

describe('where a case is', () => {
  const CONTACTS = ['case_id,address,name,phone,note', '000007,测试区示例街道幸福社区3号楼2单元501室,李女士,13812345678,晚上七点后在家', '000008,测试区示例镇样板村第七村民小组十二号大院东侧第三排砖瓦房（村委会往北约四百米过石桥右转再走二百米红色铁门那一家）,欧阳美丽的大伯父,,白天多在地里干活请先到村口小卖部打听一下再过去'].join('\n');

  it('is read with one tap, logged, there without a network, and gone with the case', async () => {
    const desk = await field.person('vault', 'supervisor', '钱督导').then(() => field.server.signIn('vault'));
    await desk.send('PUT', `/api/v1/surveys/${field.survey}/files/contacts`, CONTACTS, 'text/csv');
    const mine = await field.person('sunli', 'surveyor', '孙丽');
    await field.assign(mine, ['000007', '000008', '000009']);
    const t = await joined(await field.code(mine));
    await t.go('card');
    assert.equal(await t.at('card-device').innerText(), '平板', 'what the office calls it');
    await t.openCase('000007');
    await t.at('read-address').click();
    await t.page.getByText('幸福社区3号楼2单元501室').waitFor();
    await t.pictures('address');
    assert.deepEqual(await t.axe(), []);
    assert.equal(await t.page.getByText('13812345678').count(), 0, 'the number shows when it is asked for');
    await t.at('show-phone').click();
    assert.equal(await t.at('phone').getAttribute('href'), 'tel:13812345678');

    // The rest before leaving, from the list; one of them has no address at the office.
    await t.go('today');
    await t.at('read-addresses').click();
    await t.page.locator('[data-case="000008"]').getByText('样板村第七村民小组').waitFor();
    await t.at('read-addresses').waitFor({ state: 'detached' });
    await t.page.locator('#words').fill('样板村');
    assert.equal(await t.page.locator('[data-case]').count(), 1, 'addresses are searched, too');
    await t.pictures('addresses');

    await t.kill();
    Object.assign(field.line, { mode: 'dead', only: /./ });
    await t.power();
    await t.open(field);
    await t.unlock();
    await t.openCase('000007');
    await t.page.getByText('幸福社区3号楼2单元501室').waitFor();
    await t.at('read-address').click();
    await t.at('address-why').filter({ hasText: '没有网络' }).waitFor();
    await t.openCase('000009');
    await t.page.getByText('科协没有登记本户的住址').waitFor();
    Object.assign(field.line, { mode: 'pass' });

    const auditor = await field.person('audit', 'auditor', '吴审计').then(() => field.server.signIn('audit'));
    const readings = [];
    for (const number of ['000007', '000008', '000009']) {
      const { entries } = await auditor.send('GET', `/api/v1/audit/entries?object=${encodeURIComponent(`case/${field.survey}/${number}`)}`);
      readings.push(...entries.filter((one) => one.action === 'identity.read').map((one) => [number, one.detail.reason]));
    }
    assert.deepEqual(readings, [['000007', '入户访问'], ['000008', '入户访问']], 'each reading is an entry, and a case without an address is none');

    // Given to somebody else it is gone, and reading it again is refused.
    await field.assign(await field.person('zhengwei', 'surveyor', '郑伟'), ['000007']);
    await sync(t);
    assert.equal(await t.page.locator('[data-case="000007"]').count(), 0);
    const token = field.line.seen.findLast((one) => one.path.includes('/contact')).authorization;
    const refused = await call(field.server.url, 'POST', `/api/v1/cases/${field.survey}/000007/contact`, { headers: { Authorization: token, 'Content-Type': 'application/json' }, body: { reason: '入户访问' } });
    assert.ok([403, 404].includes(refused.status), refused.text);
    await field.assign(mine, ['000007']);
    await sync(t);
    await t.openCase('000007');
    await t.page.getByText('住址还没有读到本机').waitFor();
    await t.clean();
  });
});

/** The questionnaire with one more statement, as its next version. */
const NEXT = QUESTIONNAIRE.replace('version = "1.0.0"', 'version = "1.1.0"').replace('[[sections]]\nid = "end"', '[[sections.items]]\nid = "K17"\ntype = "true_false"\ntext = { zh-CN = "光年是距离单位", en = "Statement 17" }\nmissing = ["dont_know", "refused"]\n\n[[sections]]\nid = "end"');

describe('acc033 a newer questionnaire comes', () => {
  it('acc033 an interview ends by the version it began with, also after a restart and a return; a new one begins with the new version', async () => {
    const t = await joined();
    await t.openCase('000003');
    await t.admit();
    const shown = await t.talk(4);
    const orders = await t.page.evaluate(() => document.querySelector('.question').innerText);

    const { hash } = await field.admin.send('POST', '/api/v1/questionnaires', NEXT, 'application/toml');
    assert.notEqual(hash, field.hash);
    // The server's word on open cases is the new version from now on; it draws another order, too.
    const { changes: cases } = JSON.parse(field.line.seen.find((one) => one.path.startsWith('/api/v1/sync/changes')).answer);
    const { items } = cases.find((one) => one.case === '000003').value.draw;
    const isKnowledge = (id) => id.startsWith('K');
    const drawn = [...items.filter((id) => !isKnowledge(id) && id !== 'visit'), 'K17', ...items.filter(isKnowledge).reverse(), 'visit'];
    field.line.rewrite = ({ request, status, headers, bytes }) => {
      if (!request.path.startsWith('/api/v1/sync/changes')) return null;
      const told = JSON.parse(bytes.toString());
      const changed = cases
        .filter((one) => ['000003', '000004'].includes(one.case))
        .map((one) => ({ ...one, value: { ...one.value, instrument: hash, draw: { ...one.value.draw, seed: '7', items: drawn, options: {} } } }));
      return { status, headers, body: JSON.stringify({ ...told, changes: [...told.changes, ...changed] }) };
    };
    await t.kill();
    await t.power();
    await t.open(field);
    await t.unlock();
    await sync(t);
    await t.openCase('000003');
    await t.at('continue').click();
    await t.page.locator(`[data-item="${shown.at(-1)}"]`).waitFor();
    assert.equal(await t.page.evaluate(() => document.querySelector('.question').innerText), orders, 'the same order of options');
    await t.next(shown.at(-1));
    await t.talk();
    await t.finish();
    await t.waitState('000003', 'verified');
    const [first] = sentOf('000003');
    assert.equal(first.instrument, field.hash);
    assert.ok(!first.order_shown.includes('K17'));
    assert.notEqual(first.draw.seed, '7');
    assert.equal((await of('000003'))[0].state, 'parsed', 'judged by the version it names');

    // Returned, it is corrected under its own version, too.
    const [kept] = await of('000003');
    await field.supervisor.send('POST', `/api/v1/responses/${kept.id}/return`, { rev: 1, reason_code: 'check', comment: '请核实', item_comments: [{ item: 'hours', comment: '请再问一次' }] });
    await sync(t);
    await t.go('inbox');
    await t.at('correct').click();
    await t.page.locator('[data-item=hours]').waitFor();
    await t.page.locator('.typed input').fill('36');
    await t.next('hours');
    while ((await t.page.locator('[data-item]').count()) > 0) await t.next(await t.item());
    await t.page.locator('#correction').fill('受访者更正');
    await t.finish();
    await t.waitState('000003', 'verified', 2);
    assert.deepEqual(sentOf('000003').at(-1).order_shown, first.order_shown);
    assert.equal(sentOf('000003').at(-1).instrument, field.hash);

    await t.openCase('000004');
    await t.admit();
    const asked = await t.talk();
    assert.deepEqual(asked, drawn, 'the new order, with the new statement');
    await t.finish();
    for (let tries = 0; tries < 100 && sentOf('000004').length === 0; tries += 1) await t.page.waitForTimeout(100);
    assert.equal(sentOf('000004')[0].instrument, hash);
    const forms = await t.page.evaluate(() => new Promise((resolve) => {
      const asked = indexedDB.open('scilit-tablet');
      asked.onsuccess = () => {
        const all = asked.result.transaction('instruments').objectStore('instruments').getAllKeys();
        all.onsuccess = () => resolve(all.result);
      };
    }));
    assert.deepEqual([...forms].sort(), [field.hash, hash].sort(), 'both versions stay on the tablet');
    await t.clean();
  });
});

describe('a tablet is given back', () => {
  it('with an open interview it is not; once all is proven, keys and data are gone and the receipts can be kept', async () => {
    const t = await joined();
    await t.interview('000005');
    await t.waitState('000005', 'verified');
    await t.openCase('000006');
    await t.admit();
    await t.talk(2);
    await t.at('pause').click();
    await t.at('leave-open').click();
    // The page goes to the case once the pause is written: what the test asks for before that would be undone.
    await t.at('case').waitFor();
    const giveBack = async () => {
      await t.go('end');
      await t.at('give-back').click();
      await t.page.locator('#word').fill('结清');
      await t.at('settle').click();
    };
    await giveBack();
    await t.at('unsettled').filter({ hasText: '还有未完成的访问' }).waitFor();
    await t.pictures('settle');
    assert.deepEqual(await t.axe(), []);
    await t.openCase('000006');
    await t.at('continue').click();
    await t.at('pause').click();
    await t.page.locator('#pause-reason').fill('受访者有急事');
    await t.at('break-off').click();
    await t.at('done').waitFor();
    await t.waitState('000006', 'verified');
    // A server that says it does not know one of them: nothing is removed.
    field.line.rewrite = ({ request, status, headers, bytes }) => (request.path === '/api/v1/reconcile' ? { status, headers, body: bytes.toString().replaceAll('"known"', '"unknown"') } : null);
    await giveBack();
    await t.at('unsettled').waitFor();
    field.line.rewrite = null;
    await t.waitState('000005', 'queued');
    await t.upload();
    await t.waitState('000005', 'verified');
    await t.waitState('000006', 'verified');
    await giveBack();
    await t.at('settled').waitFor();
    assert.match(await t.at('settled').innerText(), /已结清：2 份/);
    await t.pictures('settled');
    assert.deepEqual(await t.axe(), []);
    const [download] = await Promise.all([t.page.waitForEvent('download'), t.at('keep-receipts').click()]);
    const path = `${t.folder}/receipts.jsonl`;
    await download.saveAs(path);
    const receipts = readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(receipts.length, 2);
    assert.ok(receipts.every((one) => typeof one.signature === 'string'));
    const left = await t.page.evaluate(
      () =>
        new Promise((resolve) => {
          const asked = indexedDB.open('scilit-tablet');
          asked.onsuccess = async () => {
            const names = ['profiles', 'deviceKeys', 'books', 'visits', 'queue', 'receipts', 'events'];
            const tx = asked.result.transaction(names);
            const counts = names.map((name) => new Promise((done) => (tx.objectStore(name).count().onsuccess = (event) => done(event.target.result))));
            resolve(await Promise.all(counts));
          };
        }),
    );
    assert.deepEqual(left, [0, 0, 0, 0, 0, 0, 0]);
    await t.page.reload();
    await t.at('enrol').waitFor();
    await t.clean();
  });
});
