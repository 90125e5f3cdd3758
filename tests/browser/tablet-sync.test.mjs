// The tablet and the server: what is handed over, what is not taken for handed over, and what comes back.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { Field } from './field.mjs';
import { eventsOf } from './office.mjs';
import { PIN, Tablet } from './tablet.mjs';

let field;
let tablets = [];

async function joined(at = field) {
  const t = await Tablet.joined(at);
  tablets.push(t);
  return t;
}

before(async () => {
  field = await Field.open({ cases: 14 });
});
afterEach(async () => {
  for (const t of tablets) await t.close();
  tablets = [];
  Object.assign(field.line, { mode: 'pass', only: /^\/api\//, rewrite: null, seen: [] });
});
after(() => field?.close());

const puts = (number) => field.line.seen.filter((one) => one.method === 'PUT' && one.path.includes('/submissions/') && one.body.includes(`"case":"${number}"`));
const of = async (number) => (await field.responses()).filter((one) => one.case === number);

describe('acc015 the answer is lost', () => {
  it('acc015 acc013 the server kept it and the tablet never heard: it sends again, one response is there, the item is verified', async () => {
    const t = await joined();
    Object.assign(field.line, { mode: 'swallow', only: /\/submissions\// });
    await t.interview('000001');
    await t.page.waitForTimeout(100);
    for (let tries = 0; tries < 100 && (await of('000001')).length === 0; tries += 1) await t.page.waitForTimeout(100);
    assert.equal((await of('000001')).length, 1, 'the server has it');
    await t.waitState('000001', 'queued');
    field.line.mode = 'pass';
    await t.upload();
    await t.waitState('000001', 'verified');
    assert.equal((await of('000001')).length, 1);
    const sent = puts('000001');
    assert.ok(sent.length >= 2, `${sent.length} times`);
    assert.equal(new Set(sent.map((one) => one.body)).size, 1, 'the same bytes each time');
    await t.clean();
  });

  it('acc015 the server is killed after it kept the bytes; started again, it is asked once more and knows them', async () => {
    const t = await joined();
    Object.assign(field.line, { mode: 'swallow', only: /\/submissions\// });
    await t.interview('000002');
    await t.waitState('000002', 'queued');
    await field.server.down();
    field.line.mode = 'pass';
    await t.upload();
    await t.waitState('000002', 'queued');
    await field.server.up();
    await t.upload();
    await t.waitState('000002', 'verified');
    assert.equal((await of('000002')).length, 1);
    await t.clean();
  });
});

describe('acc016 somebody else answers', () => {
  for (const mode of ['portal', 'gateway'])
    it(`acc016 ${mode === 'portal' ? 'a login page with status 200' : 'a proxy\'s error page'} counts as no network: the item stays and no error of a parser is shown`, async () => {
      const number = mode === 'portal' ? '000003' : '000004';
      const t = await joined();
      field.line.mode = mode;
      await t.interview(number);
      await t.waitState(number, 'queued');
      await t.page.getByText('网络被登录页拦截').first().waitFor();
      assert.ok(!/Unexpected|JSON|SyntaxError/.test(await t.page.locator('main').innerText()));
      assert.equal((await of(number)).length, 0);
      field.line.mode = 'pass';
      await t.upload();
      await t.waitState(number, 'verified');
      await t.clean();
    });

  it('acc016 a receipt with a signature that is not the pinned key\'s proves nothing', async () => {
    const t = await joined();
    field.line.rewrite = ({ request, status, headers, bytes }) =>
      request.path.includes('/submissions/') ? { status, headers, body: bytes.toString().replace(/("signature":")(.)/, (_, before, sign) => before + (sign === 'A' ? 'B' : 'A')) } : null;
    await t.interview('000005');
    await t.waitState('000005', 'queued');
    await t.page.getByText('没有收到有效回执').first().waitFor();
    field.line.rewrite = null;
    await t.upload();
    await t.waitState('000005', 'verified');
    await t.clean();
  });
});

describe('acc020 one of several is refused for good', () => {
  it('acc020 the others upload; it is parked with the Chinese reason and counted by the badge', async () => {
    const t = await joined();
    field.line.mode = 'dead';
    for (const number of ['000006', '000007', '000008']) await t.interview(number);
    const problem = { type: 'urn:x', title: '文件过大（上限 1 KB）', status: 413, code: 'too-large', retryable: false, action: 'contact_supervisor' };
    const headers = { 'content-type': 'application/problem+json', 'x-survey-api': '1' };
    field.line.rewrite = ({ request }) => (request.path.includes('/submissions/') && request.body.includes('"case":"000007"') ? { status: 413, headers, body: JSON.stringify(problem) } : null);
    field.line.mode = 'pass';
    await t.go('queue');
    await t.upload();
    await t.waitState('000006', 'verified');
    await t.waitState('000008', 'verified');
    await t.waitState('000007', 'parked');
    assert.match(await t.row('000007').innerText(), /文件过大/);
    assert.match(await t.at('badge').innerText(), /未上传 1/);
    await t.pictures('parked');
    await t.clean();
  });
});

describe('acc042 who is interviewed', () => {
  it('acc042 leaving, reloading, correcting a word of kinship change nothing; another person needs a reason and both selections are kept and sent', async () => {
    const t = await joined();
    await t.openCase('000009');
    const members = [['male', 50], ['female', 48], ['male', 20]];
    for (const [n, [sex, age]] of members.entries()) {
      if (n > 0) await t.at('add-member').click();
      await t.page.locator(`#sex-${n}`).selectOption(sex);
      await t.page.locator(`#age-${n}`).fill(String(age));
    }
    await t.at('draw').click();
    const first = await t.at('drawn').innerText();
    await t.page.locator('[data-test=drawn][aria-busy=false]').waitFor();
    await t.page.reload();
    await t.unlock();
    await t.openCase('000009');
    await t.at('drawn').waitFor();
    assert.equal(await t.at('drawn').innerText(), first);
    await t.at('edit-roster').click();
    await t.page.locator('#relation-0').fill('户主');
    await t.at('draw').click();
    await t.at('edit-roster').waitFor();
    assert.equal((await t.at('drawn').innerText()).split('\n')[0], first.split('\n')[0], 'kinship draws nobody');
    await t.at('edit-roster').click();
    await t.at('add-member').click();
    await t.page.locator('#sex-3').selectOption('female');
    await t.page.locator('#age-3').fill('67');
    await t.at('draw').click();
    await t.page.getByText('请写明修改的原因').waitFor();
    await t.page.locator('#reason').fill('老人昨日从外地回家');
    await t.at('draw').click();
    await t.page.getByText('此前的抽取 1 次已保留').waitFor();
    await t.at('agree').click();
    await t.at('begin').click();
    await t.at('progress').waitFor();
    await t.talk();
    await t.finish();
    await t.waitState('000009', 'verified');
    const sent = JSON.parse(puts('000009').at(-1).body);
    assert.equal(sent.selections.length, 2);
    assert.equal(sent.selections[1].reason, '老人昨日从外地回家');
    assert.equal(sent.selections[0].n_eligible, 3);
    assert.equal(sent.selection.n_eligible, 4);
    const [kept] = await of('000009');
    assert.equal(kept.state, 'parsed', 'the server finds the same person by its own number');
    await t.clean();
  });
});

describe('acc036 the order that was drawn', () => {
  it('acc036 is the server\'s, the same after reload, and what is sent says so', async () => {
    const t = await joined();
    await t.openCase('000010');
    await t.admit();
    const shown = await t.talk(12);
    await t.page.reload();
    await t.unlock();
    await t.at('progress').waitFor();
    await t.next(shown[11]);
    shown.push(...(await t.talk()));
    await t.finish();
    await t.waitState('000010', 'verified');
    const sent = JSON.parse(puts('000010').at(-1).body);
    assert.deepEqual(shown, sent.order_shown.filter((id) => shown.includes(id)));
    const knowledge = sent.order_shown.filter((id) => id.startsWith('K'));
    assert.equal(knowledge.length, 16);
    assert.notDeepEqual(knowledge, [...knowledge].sort(), 'shuffled');
    assert.match(sent.draw.seed, /^\d+$/);
    await t.clean();
  });
});

describe('acc038 an answer changes the route', () => {
  it('acc038 hidden answers are kept as inactive, come back when the answer is changed back, and a soft check asks for a word', async () => {
    const t = await joined();
    await t.openCase('000011');
    await t.admit();
    await t.talk(5, { hours: '38' });
    for (const id of ['hours', 'job']) {
      await t.at('back').click();
      await t.page.locator(`[data-item=${id}]`).waitFor();
    }
    // Retired at 44: the soft check speaks, and hours are asked no more.
    await t.page.locator('label.option').nth(2).click();
    await t.at('next').click();
    await t.at('soft').waitFor();
    assert.match(await t.at('soft').innerText(), /年龄与离退休不太相符/);
    await t.at('confirm').click();
    await t.page.locator('[data-item=channels]').waitFor();
    await t.at('back').click();
    await t.page.locator('[data-item=job]').waitFor();
    await t.page.locator('label.option').nth(0).click();
    await t.at('next').click();
    await t.page.locator('[data-item=hours]').waitFor();
    assert.equal(await t.page.locator('.typed input').inputValue(), '38', 'the answer came back');
    await t.at('back').click();
    await t.page.locator('[data-item=job]').waitFor();
    await t.page.locator('label.option').nth(2).click();
    await t.at('next').click();
    await t.at('confirm').click();
    await t.page.locator('[data-item=channels]').waitFor();
    await t.talk();
    await t.finish();
    await t.waitState('000011', 'verified');
    const sent = JSON.parse(puts('000011').at(-1).body);
    assert.equal(sent.answers.find((one) => one.i === 'hours').v, 38, 'kept and sent');
    const [kept] = await of('000011');
    assert.equal(kept.state, 'parsed');
    await t.clean();
  });
});

/** In the page: a transaction over every store that stays open until `letGo`, so that each write waits behind it. */
const holdTheDisk = () =>
  new Promise((resolve, reject) => {
    const asked = indexedDB.open('scilit-tablet');
    asked.onerror = () => reject(asked.error);
    asked.onsuccess = () => {
      const names = [...asked.result.objectStoreNames];
      const store = asked.result.transaction(names, 'readwrite').objectStore(names[0]);
      const again = () => {
        if (window.letGo) return asked.result.close();
        store.count().onsuccess = again;
      };
      store.count().onsuccess = () => {
        again();
        resolve();
      };
    };
  });

describe('acc044 a contact attempt', () => {
  it('acc044 takes at most two taps away from the network, with the time and the place', async () => {
    const t = await joined();
    field.line.mode = 'dead';
    await t.openCase('000012');
    await t.page.getByText('定位精度').waitFor();
    await t.page.evaluate(holdTheDisk);
    await t.page.locator('[data-outcome="2.24"]').click();
    await t.page.getByText('接触记录 1 次').waitFor();
    await t.page.getByText('正在保存到本机').waitFor();
    await t.page.evaluate(() => {
      window.letGo = true;
    });
    await t.page.getByText('定位精度').waitFor();
    await t.at('more').click();
    await t.page.locator('[data-outcome="3.18"]').click();
    await t.page.getByText('接触记录 2 次').waitFor();
    assert.match(await t.at('attempts').innerText(), /无人在家.*有定位/s);
    // What the screen does not call being kept is on the disk.
    await t.page.locator('[data-test=contact][aria-busy=false]').waitFor();
    await t.page.reload();
    await t.unlock();
    await t.openCase('000012');
    await t.page.getByText('接触记录 2 次').waitFor();
    field.line.mode = 'pass';
    await t.go('queue');
    await t.upload();
    await t.page.waitForTimeout(1500);
    const events = await eventsOf(field);
    const attempt = events.find((event) => event.kind === 'contact_attempt' && event.outcome === '2.24');
    assert.ok(Math.abs(attempt.wall_ms - Date.now()) < 120_000);
    assert.ok(Math.abs(attempt.gps.lat - 45.75) < 1e-6);
    await t.clean();
  });
});

describe('acc050 returned work', () => {
  it('acc050 the inbox opens at the marked item with the same draw; the second revision names the first', async () => {
    const t = await joined();
    await t.interview('000013');
    await t.waitState('000013', 'verified');
    const [kept] = await of('000013');
    const first = JSON.parse(puts('000013').at(-1).body);
    await field.supervisor.send('POST', `/api/v1/responses/${kept.id}/return`, {
      rev: 1,
      reason_code: 'check',
      comment: '请核实两处',
      item_comments: [{ item: 'hours', comment: '每周工作时间请再问一次' }, { item: 'K03', comment: '请核实' }],
    });
    await t.upload();
    await t.go('inbox');
    await t.page.locator('[data-message]').waitFor();
    await t.pictures('returned');
    await t.page.locator('[data-message]').getByText('“您每周工作多少小时？”：每周工作时间请再问一次').waitFor();
    await t.at('correct').click();
    await t.page.locator('[data-item=hours]').waitFor();
    assert.match(await t.at('comment').innerText(), /每周工作时间请再问一次/);
    await t.page.locator('.typed input').fill('35');
    await t.next('hours');
    while ((await t.page.locator('[data-item]').count()) > 0) await t.next(await t.item());
    assert.ok(await t.at('finish').isDisabled(), 'a correction has a reason');
    await t.page.locator('#correction').fill('受访者更正');
    await t.finish();
    await t.waitState('000013', 'verified', 2);
    const second = JSON.parse(puts('000013').at(-1).body);
    assert.equal(second.rev, 2);
    assert.equal(second.parent_rev, 1);
    assert.deepEqual(second.order_shown, first.order_shown);
    assert.equal(second.answers.find((one) => one.i === 'hours').v, 35);
    await t.clean();
  });
});

describe('acc061 the tablet is taken apart', () => {
  it('acc061 no answer, address or token stands in plain text anywhere in the browser\'s folder', async () => {
    const canary = '金丝雀7Q2XVN';
    const t = await joined();
    await t.openCase('000014');
    await t.page.locator('#note').fill(`备注${canary}`);
    await t.page.evaluate(holdTheDisk);
    await t.page.locator('[data-outcome="2.24"]').click();
    await t.page.getByText('接触记录 1 次').waitFor();
    await t.page.getByText('正在保存到本机').waitFor();
    await t.page.evaluate(() => {
      window.letGo = true;
    });
    await t.page.getByText('定位精度').waitFor();
    await t.admit();
    await t.talk(undefined, { comment: `建议${canary}` });
    field.line.mode = 'dead';
    await t.finish();
    await t.waitState('000014', 'queued');
    const token = field.line.seen.map((one) => one.authorization).find(Boolean);
    assert.ok(token, 'a token was used');
    await t.page.waitForTimeout(500);
    await t.kill();
    const needles = [canary, PIN, token.replace('Bearer ', '')].flatMap((text) => [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')]);
    const control = Buffer.from('tablet-test', 'utf8');
    let [searched, plain] = [0, false];
    const search = (folder) => {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        const facts = statSync(path, { throwIfNoEntry: false });
        if (facts?.isDirectory()) search(path);
        else if (facts?.isFile()) {
          const bytes = readFileSync(path);
          searched += bytes.length;
          plain ||= bytes.includes(control) || bytes.includes(Buffer.from('tablet-test', 'utf16le'));
          for (const needle of needles) assert.ok(!bytes.includes(needle), `${path} tells ${needle}`);
        }
      }
    };
    search(join(t.folder, 'profile'));
    assert.ok(searched > 1_000_000, 'the folder was searched');
    assert.ok(plain, 'the search finds what is there in plain text: the form');
  });
});
