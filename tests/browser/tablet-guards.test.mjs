// What a tablet does not do: purge without proof, begin with an old program, stay open when nobody touches it.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { queueRows } from './disk.mjs';
import { Field } from './field.mjs';
import { Tablet } from './tablet.mjs';

const DAY_MS = 86_400_000;
/** The grace that the server names is a week. */
const AFTER_GRACE_MS = 8 * DAY_MS;
let field;
let tablets = [];

async function joined(options) {
  const t = await Tablet.joined(field, options);
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

/** What the queue says of a case, and whether the record itself is still there. */
async function kept(t, number) {
  const row = (await queueRows(t)).find((one) => one.case === number);
  return [row.state, row.body || row.office !== null];
}

const answers = (path, change) => ({ request, status, headers, bytes }) =>
  path.test(request.path) && status < 300 ? { status, headers, body: change(bytes.toString()) } : null;
const forged = (text) => text.replace(/("signature":")(.)/g, (_, before, sign) => before + (sign === 'A' ? 'B' : 'A'));

describe('acc028 a record leaves the tablet', () => {
  it('acc028 never for a forged receipt, however long ago it was', async () => {
    const t = await joined();
    field.line.rewrite = answers(/\/submissions\//, forged);
    await t.interview('000001');
    await t.lockAndOpen();
    await t.waitState('000001', 'queued');
    await t.later(AFTER_GRACE_MS);
    for (let round = 0; round < 3; round += 1) await t.meet();
    assert.deepEqual(await kept(t, '000001'), ['queued', true]);
    assert.equal((await field.responses()).filter((one) => one.case === '000001').length, 1, 'although the server has it');
    field.line.rewrite = null;
    await t.meet();
    await t.waitState('000001', 'purged');
    assert.deepEqual(await kept(t, '000001'), ['purged', false], 'the control: with a good one it goes');
    await t.clean();
  });

  it('acc028 never for a receipt that was exchanged on the tablet', async () => {
    const t = await joined();
    await t.interview('000002');
    await t.waitState('000002', 'verified');
    await t.page.evaluate(
      () =>
        new Promise((resolve) => {
          const asked = indexedDB.open('scilit-tablet');
          asked.onsuccess = () => {
            const store = asked.result.transaction('receipts', 'readwrite').objectStore('receipts');
            const all = store.getAll();
            all.onsuccess = () => {
              const [row] = all.result;
              const text = row.text.replace(/("signature":")(.)/, (_, before, sign) => before + (sign === 'A' ? 'B' : 'A'));
              store.put({ ...row, text }).onsuccess = () => resolve(asked.result.close());
            };
          };
        }),
    );
    await t.later(AFTER_GRACE_MS);
    for (let round = 0; round < 2; round += 1) await t.meet();
    assert.deepEqual(await kept(t, '000002'), ['verified', true]);
    await t.clean();
  });

  it('acc028 never while the server says that it does not know it, and is sent again', async () => {
    const t = await joined();
    field.line.rewrite = answers(/\/reconcile$/, (text) => text.replaceAll('"answer":"known"', '"answer":"unknown"'));
    await t.interview('000003');
    await t.waitState('000003', 'queued');
    await t.later(AFTER_GRACE_MS);
    for (let round = 0; round < 3; round += 1) await t.meet();
    assert.deepEqual(await kept(t, '000003'), ['queued', true]);
    assert.match(await t.row('000003').innerText(), /服务器没有这份问卷，将重新上传/);
    const sent = field.line.seen.filter((one) => one.method === 'PUT' && one.path.includes('/submissions/'));
    assert.ok(sent.length >= 3, `${sent.length} times`);
    field.line.rewrite = null;
    await t.meet();
    await t.waitState('000003', 'purged');
    await t.clean();
  });

  it('acc028 never before the grace is over, and then, receipt, digest and server agreeing, it does', async () => {
    const t = await joined();
    await t.interview('000004');
    await t.waitState('000004', 'verified');
    for (let round = 0; round < 2; round += 1) await t.meet();
    assert.deepEqual(await kept(t, '000004'), ['verified', true], 'today');
    await t.later(7 * DAY_MS - 60_000);
    await t.meet();
    assert.deepEqual(await kept(t, '000004'), ['verified', true], 'a minute before');
    await t.lockAndOpen();
    await t.later(120_000);
    await t.meet();
    await t.waitState('000004', 'purged');
    assert.deepEqual(await kept(t, '000004'), ['purged', false]);
    assert.match(await t.row('000004').innerText(), /已核对并清除本机副本/);
    await t.go('end');
    await t.at('end').filter({ hasText: '可以收工' }).waitFor();
    await t.clean();
  });
});

describe('the PIN is asked again', () => {
  it('after a quarter of an hour without a touch, and not before; what was typed is there', async () => {
    const t = await joined({ prepare: (page) => page.clock.install() });
    await t.openCase('000005');
    await t.admit();
    while ((await t.item()) !== 'comment') await t.next(await t.answer());
    await t.page.locator('textarea').fill('写到一半');
    await t.saved();
    for (let n = 0; n < 2; n += 1) {
      await t.page.clock.fastForward('14:30');
      await t.page.waitForTimeout(300);
      assert.equal(await t.at('unlock').count(), 0, 'not yet');
      await t.page.locator('.question').click({ position: { x: 2, y: 2 } });
    }
    await t.page.clock.fastForward('15:10');
    await t.at('unlock').waitFor();
    assert.equal(await t.page.locator('[data-item]').count(), 0);
    assert.ok(!(await t.page.locator('body').innerText()).includes('写到一半'));
    await t.page.locator('#pin').fill('999999');
    await t.at('unlock').click();
    await t.at('fault').waitFor();
    await t.unlock();
    await t.page.locator('[data-item=comment]').waitFor();
    assert.equal(await t.page.locator('textarea').inputValue(), '写到一半');
    await t.clean();
  });

  it('also on the list, where a finished interview can then not be read any more', async () => {
    const t = await joined({ prepare: (page) => page.clock.install() });
    field.line.mode = 'dead';
    await t.interview('000006');
    await t.go('today');
    await t.page.clock.fastForward('16:00');
    await t.at('unlock').waitFor();
    await t.unlock();
    field.line.mode = 'pass';
    await t.meet();
    await t.waitState('000006', 'verified');
    const sent = field.line.seen.findLast((one) => one.method === 'PUT' && one.path.includes('/submissions/'));
    assert.ok(sent.body.includes('"enc"'), 'it went sealed');
    await t.clean();
  });
});

describe('acc032 the server wants a newer program', () => {
  it('acc032 no new interview begins; the open one is ended, what waits uploads, and with the old limit it goes on', async () => {
    const t = await joined();
    field.line.mode = 'dead';
    await t.interview('000007');
    await t.openCase('000008');
    await t.admit();
    const shown = await t.talk(5);
    await t.at('pause').click();
    await t.at('leave-open').click();
    await t.at('case').waitFor();
    const restart = async (least) => {
      await field.server.down();
      if (least) field.server.env.SCILIT_MIN_RELEASE = least;
      else delete field.server.env.SCILIT_MIN_RELEASE;
      await field.server.up();
    };
    await restart('99.0.0');
    field.line.mode = 'pass';
    await t.meet();
    await t.waitState('000007', 'verified');

    const upToBegin = async (number) => {
      await t.openCase(number);
      await t.page.locator('#sex-0').selectOption('male');
      await t.page.locator('#age-0').fill('44');
      await t.at('draw').click();
      await t.at('drawn').waitFor();
      await t.at('agree').click();
      await t.at('begin').waitFor();
    };
    await upToBegin('000009');
    await t.page.getByText('请先更新程序。已采集的数据仍可上传。').waitFor();
    assert.ok(await t.at('begin').isDisabled());
    await t.pictures('too-old');

    await t.openCase('000008');
    assert.equal(await t.page.getByText('请先更新程序').count(), 0, 'not said of an open one');
    await t.at('continue').click();
    await t.page.locator(`[data-item="${shown.at(-1)}"]`).waitFor();
    await t.next(shown.at(-1));
    await t.talk();
    await t.finish();
    await t.waitState('000008', 'verified');
    const states = (await field.responses()).filter((one) => ['000007', '000008'].includes(one.case)).map((one) => one.state);
    assert.deepEqual(states, ['parsed', 'parsed']);

    await restart(null);
    await t.meet();
    await t.openCase('000009');
    await t.page.locator('[data-test=begin]:enabled').click();
    await t.at('progress').waitFor();
    await t.clean();
  });
});
