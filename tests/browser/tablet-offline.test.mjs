// The tablet away from the network: what was answered stays, whatever happens to browser, page or storage.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { Field } from './field.mjs';
import { eventsOf } from './office.mjs';
import { PIN, Tablet } from './tablet.mjs';

let field;
let tablets = [];

/** A tablet that has joined, with the program in its own cache. */
async function joined(options) {
  const t = await new Tablet().power(options);
  tablets.push(t);
  await t.enrol(field);
  await t.shellReady();
  return t;
}

before(async () => {
  field = await Field.open({ cases: 12 });
});
afterEach(async () => {
  for (const t of tablets) await t.close();
  tablets = [];
  Object.assign(field.line, { mode: 'pass', only: /^\/api\//, rewrite: null });
});
after(() => field?.close());

/** Nothing of the server answers, not even the page itself. */
const cut = () => Object.assign(field.line, { mode: 'dead', only: /./ });

async function comeBack(t) {
  await t.power();
  await t.open(field);
  await t.unlock();
}

describe('acc001 away from the network', () => {
  it('acc001 a cold start opens the app, lists the cases and completes an interview; with the network it uploads by itself', async () => {
    const t = await joined();
    await t.kill();
    cut();
    await comeBack(t);
    await t.at('today').waitFor();
    assert.equal(await t.page.locator('[data-case]').count(), 12);
    await t.interview('000001');
    await t.waitState('000001', 'queued');
    assert.match(await t.at('badge').innerText(), /未上传 1/);
    field.line.mode = 'pass';
    await t.upload();
    await t.waitState('000001', 'verified');
    const kept = (await field.responses()).find((one) => one.case === '000001');
    assert.equal(kept.state, 'parsed');
    await t.clean();
  });
});

describe('acc002 the browser is killed in an interview', () => {
  it('acc002 at item 23 the same page comes back with items 1 to 23 and the same orders', async () => {
    const t = await joined();
    await t.openCase('000002');
    await t.admit();
    const shown = await t.talk(23);
    const before = await t.page.locator('.question').innerText();
    const order = await t.page.evaluate(() => [...document.querySelectorAll('input[type=radio]')].map((one) => one.value));
    await t.kill();
    cut();
    await comeBack(t);
    await t.at('progress').waitFor();
    assert.equal(await t.item(), shown[22]);
    assert.equal(await t.page.locator('.question').innerText(), before);
    assert.deepEqual(await t.page.evaluate(() => [...document.querySelectorAll('input[type=radio]')].map((one) => one.value)), order);
    assert.equal(await t.page.locator('.option.on, [aria-pressed=true]').count(), 1, 'item 23 is answered');
    for (let at = 21; at >= 0; at -= 1) {
      await t.at('back').click();
      await t.page.locator(`[data-item="${shown[at]}"]`).waitFor();
      const filled = await t.page.locator('.option.on').count();
      const typed = await t.page.evaluate(() => document.querySelector('.typed input, .typed textarea')?.value ?? '');
      assert.ok(filled > 0 || typed !== '', `${shown[at]} is answered`);
    }
    await t.clean();
  });
});

describe('acc003 the browser is killed while somebody types', () => {
  it('acc003 half a word is there after 400 ms; what an input method has not finished is not, and nothing breaks', async () => {
    const t = await joined();
    await t.openCase('000003');
    await t.admit();
    while ((await t.item()) !== 'comment') await t.next(await t.answer());
    const box = t.page.locator('textarea');
    await box.pressSequentially('多办𠮷·', { delay: 20 });
    await t.page.waitForTimeout(700);
    const input = await t.context.newCDPSession(t.page);
    await input.send('Input.imeSetComposition', { text: 'zhanlan', selectionStart: 7, selectionEnd: 7 });
    await t.page.waitForTimeout(500);
    await t.kill();
    cut();
    await comeBack(t);
    await t.page.locator('[data-item=comment]').waitFor();
    assert.equal(await t.page.locator('textarea').inputValue(), '多办𠮷·');
    await t.clean();
  });
});

describe('acc004 the page is left and comes back', () => {
  it('acc004 reload, back, forward, turning: nothing is lost; sleep does not count as work', async () => {
    const t = await joined();
    await t.openCase('000004');
    await t.admit();
    await t.talk(4);
    const item = await t.item();
    await t.page.reload();
    await t.unlock();
    await t.page.locator(`[data-item="${item}"]`).waitFor();
    await t.page.goBack();
    await t.page.goForward();
    await t.page.locator(`[data-item="${item}"]`).waitFor();
    await t.page.setViewportSize({ width: 1280, height: 800 });
    assert.equal(await t.item(), item);
    // The machine sleeps: the page's clock jumps by half an hour between two ticks.
    await t.page.evaluate(() => {
      const real = performance.now.bind(performance);
      performance.now = () => real() + 30 * 60_000;
    });
    await t.page.waitForTimeout(2500);
    await t.next(item);
    await t.talk();
    await t.finish();
    await t.waitState('000004', 'verified');
    const sent = JSON.parse(field.line.seen.findLast((one) => one.method === 'PUT' && one.path.includes('/submissions/') && one.body.includes('"000004"')).body);
    assert.ok(sent.timing.active_ms < 10 * 60_000, `active for ${sent.timing.active_ms} ms`);
    assert.ok(sent.timing.active_ms > 500, `active for ${sent.timing.active_ms} ms`);
    await t.clean();
  });
});

describe('acc005 a write fails', () => {
  it('acc005 everything stops with a Chinese message; the package opens on another tablet and reaches the server', async () => {
    const t = await joined();
    cut();
    await t.interview('000005');
    await t.waitState('000005', 'queued');
    await t.openCase('000006');
    await t.admit();
    await t.talk(2);
    await t.page.evaluate(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('no room', 'QuotaExceededError');
      };
    });
    await t.at('next').click();
    await t.at('stop').waitFor();
    assert.match(await t.at('stop').innerText(), /本机存储写入失败/);
    assert.equal(await t.page.locator('[data-item]').count(), 0, 'no question is open');
    await t.pictures('stop');
    assert.deepEqual(await t.axe(), []);
    const [download] = await Promise.all([t.page.waitForEvent('download'), t.at('export').click()]);
    const path = `${t.folder}/saved.package`;
    await download.saveAs(path);
    const text = readFileSync(path, 'utf8');
    assert.ok(!text.includes('000005') && !text.includes('male'), 'the package tells nothing');

    field.line.mode = 'pass';
    const other = await joined();
    await other.go('queue');
    await other.page.locator('summary').click();
    await other.page.locator('#package').setInputFiles(path);
    await other.page.locator('#package-pin').fill('999999');
    await other.at('import').click();
    await other.at('package-message').filter({ hasText: '口令不正确' }).waitFor();
    await other.page.locator('#package-pin').fill(PIN);
    await other.at('import').click();
    await other.at('package-message').filter({ hasText: '已导入 1 份' }).waitFor();
    await other.waitState('000005', 'verified');
    assert.ok((await field.responses()).some((one) => one.case === '000005' && one.state === 'parsed'));
    // The office opens its part of the same file without the PIN, and finds the record that it has.
    const { results } = await field.supervisor.send('POST', '/api/v1/packages', JSON.parse(text));
    assert.deepEqual(results.map((one) => one.status), [200]);
    await other.clean();
  });
});

describe('acc006 where capture is not possible', () => {
  it('acc006 a chat program\'s browser is refused with advice', async () => {
    const t = await new Tablet().power();
    tablets.push(t);
    await t.page.addInitScript(() => Object.defineProperty(navigator, 'userAgent', { value: 'Mozilla/5.0 MicroMessenger/8.0' }));
    await t.open(field);
    await t.page.getByText('聊天软件内置的浏览器').waitFor();
    assert.equal(await t.at('enrol').count(), 0);
    await t.clean();
  });

  it('acc006 storage that may vanish and little room make the check red and say why', async () => {
    const t = await new Tablet().power();
    tablets.push(t);
    await t.page.addInitScript(() => {
      navigator.storage.persist = () => Promise.resolve(false);
      navigator.storage.estimate = () => Promise.resolve({ quota: 100 * 1024 * 1024, usage: 0 });
    });
    await t.enrol(field);
    assert.match(await t.at('ready').innerText(), /还不能离线工作/);
    assert.equal(await t.page.locator('[data-finding=storage]').getAttribute('data-state'), 'bad');
    assert.match(await t.page.locator('[data-finding=storage]').innerText(), /可能在空间不足时清除/);
    await t.clean();
  });
});

describe('acc007 a new release comes during an interview', () => {
  it('acc007 the interview goes on with the old program; the new one comes after it and by a tap, and opens the old draft', async () => {
    const t = await joined();
    await t.openCase('000007');
    await t.admit();
    await t.talk(3);
    const item = await t.item();
    // Another release: the worker's file differs.
    field.line.rewrite = ({ request, status, headers, bytes }) =>
      request.path === '/tablet/sw.js' ? { status, headers, body: bytes.toString().replaceAll(/"release":"[^"]*"/g, '"release":"9.9.9-new"') } : null;
    await t.page.evaluate(async () => (await navigator.serviceWorker.getRegistration('/tablet/')).update());
    await t.page.waitForFunction(async () => (await navigator.serviceWorker.getRegistration('/tablet/')).waiting !== null);
    await t.page.waitForTimeout(300);
    assert.equal(await t.at('update').count(), 0, 'nothing is offered in an interview');
    assert.equal(await t.item(), item);
    await t.at('pause').click();
    await t.at('leave-open').click();
    await t.at('update').waitFor();
    const reloaded = t.page.waitForEvent('load');
    await t.at('update').click();
    await reloaded;
    await t.unlock();
    const caches = await t.page.evaluate(() => caches.keys());
    assert.ok(caches.includes('scilit-tablet-9.9.9-new'), caches.join());
    assert.equal(caches.length, 2, 'the release before stays');
    await t.openCase('000007');
    await t.at('continue').click();
    await t.page.locator(`[data-item="${item}"]`).waitFor();
    await t.clean();
  });
});

describe('acc008 data of another release', () => {
  it('acc008 data of a newer program are refused and left alone', async () => {
    const t = await joined();
    await t.page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const asked = indexedDB.open('scilit-tablet', 99);
          asked.onupgradeneeded = () => asked.result.createObjectStore('later').put('kept', 'one');
          asked.onsuccess = () => resolve(asked.result.close());
          asked.onerror = () => reject(asked.error);
        }),
    );
    await t.page.reload();
    await t.at('stop').filter({ hasText: '数据来自更新的程序版本' }).waitFor();
    const left = await t.page.evaluate(
      () =>
        new Promise((resolve) => {
          const asked = indexedDB.open('scilit-tablet');
          asked.onsuccess = () => {
            const names = [...asked.result.objectStoreNames];
            const count = asked.result.transaction('profiles').objectStore('profiles').count();
            count.onsuccess = () => resolve({ version: asked.result.version, names, profiles: count.result });
          };
        }),
    );
    assert.equal(left.version, 99);
    assert.equal(left.profiles, 1);
    assert.ok(left.names.includes('later') && left.names.includes('queue'));
    await t.clean();
  });
});

describe('acc009 one draft in two tabs', () => {
  it('acc009 the second is read-only and becomes free within two seconds of the first one\'s end', async () => {
    const t = await joined();
    await t.openCase('000009');
    await t.admit();
    await t.talk(3);
    const item = await t.item();
    const first = t.page;
    t.page = await t.tab();
    await t.open(field);
    await t.unlock();
    await t.at('read-only').waitFor();
    assert.equal(await t.item(), item);
    assert.ok(await t.at('next').isDisabled());
    assert.equal(await t.page.locator('[data-item] input:enabled').count(), 0);
    const began = Date.now();
    await first.close();
    await t.at('read-only').waitFor({ state: 'detached' });
    assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
    await t.talk();
    await t.finish();
    await t.clean();
  });
});

describe('acc010 the clock is set back', () => {
  it('acc010 durations and the order of events do not move', async () => {
    const t = await joined();
    await t.openCase('000010');
    await t.admit();
    await t.talk(4);
    await t.page.evaluate(() => {
      const real = Date.now;
      Date.now = () => real() - 3 * 3_600_000;
    });
    await t.page.waitForTimeout(1500);
    await t.talk();
    await t.finish();
    await t.waitState('000010', 'verified');
    const sent = JSON.parse(field.line.seen.findLast((one) => one.method === 'PUT' && one.body.includes('"000010"')).body);
    assert.ok(sent.timing.active_ms > 1000 && sent.timing.active_ms < 5 * 60_000, String(sent.timing.active_ms));
    assert.ok(sent.answers.every((answer) => answer.ms === undefined || answer.ms >= 0));
    const events = await eventsOf(field);
    const mine = events.filter((event) => event.interview === sent.id);
    const seqs = mine.map((event) => event.seq);
    assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
    const [before, later] = [mine.find((event) => event.name === 'begin'), mine.find((event) => event.name === 'finish')];
    assert.ok(before.seq < later.seq && before.mono_ms < later.mono_ms && before.wall_ms > later.wall_ms, 'numbers order, not the wall clock');
    await t.clean();
  });
});

describe('acc011 the token ran out', () => {
  it('acc011 drafts open, interviews go on, nothing is deleted; the queue asks for a sign-in', async () => {
    const t = await joined();
    const expired = { type: 'urn:x', title: '登录已过期，本机数据不受影响，请重新登录', status: 401, code: 'unauthenticated', retryable: true, action: 'reauth' };
    const problem = { 'content-type': 'application/problem+json', 'x-survey-api': '1' };
    field.line.rewrite = ({ request }) => (request.headers.authorization ? { status: 401, headers: problem, body: JSON.stringify(expired) } : null);
    await t.kill();
    await comeBack(t);
    await t.interview('000011');
    await t.waitState('000011', 'queued');
    await t.upload();
    await t.page.getByText('登录已过期，本机数据不受影响').first().waitFor();
    assert.equal(await t.row('000011').count(), 1);
    field.line.rewrite = null;
    await t.upload();
    await t.waitState('000011', 'verified');
    await t.clean();
  });
});

describe('acc012 two people on one tablet', () => {
  it('acc012 the first one\'s queue stays, unseen by the second, and uploads when the first comes back', async () => {
    const t = await joined();
    cut();
    await t.interview('000012');
    await t.waitState('000012', 'queued');
    await t.at('lock').click();
    field.line.mode = 'pass';
    const second = await field.person('sunyan', 'surveyor', '孙妍');
    await t.enrol(field, { code: await field.code(second), pin: '271828' });
    await t.go('queue');
    await t.at('queue-title').filter({ hasText: '没有未上传' }).waitFor();
    assert.equal(await t.row('000012').count(), 0);
    assert.ok(!(await field.responses()).some((one) => one.case === '000012'));
    await t.at('lock').click();
    await t.page.locator('#who').selectOption({ index: 0 });
    await t.unlock();
    await t.waitState('000012', 'verified');
    assert.ok((await field.responses()).some((one) => one.case === '000012'));
    await t.clean();
  });
});
