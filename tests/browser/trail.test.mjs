// From a number of the results to what vouches for one interview behind it, counted in clicks.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axeFaults, openPage, ready, serverUnderTest, SIZES, startBrowser } from './browser.mjs';
import { NO_ACCOUNTS, settled, sitDown } from './desk.mjs';

let chrome;
let server;
before(async () => {
  server = await serverUnderTest();
  chrome = await startBrowser();
});
after(async () => {
  await chrome?.close();
  server?.close();
});

/** Counts the clicks of a person; typing what it is for is none. */
function counter(page) {
  let clicks = 0;
  const click = async (locator) => {
    clicks += 1;
    await locator.click();
  };
  return { click, clicks: () => clicks, page };
}

/** Every place on the two result pages where a number leads on, with the table that it stands in. */
const PLACES = [
  { page: '/', name: 'a district', at: (page) => page.locator('section.tables td[data-column=estimate] a').nth(1), table: 'district' },
  { page: '/', name: 'the whole', at: (page) => page.locator('section.tables td[data-column=estimate] a').first(), table: 'city' },
  { page: '/', name: 'a district by a group', at: (page) => page.locator('section.heat td.cell a').first(), table: 'district_by_residence' },
  { page: '/detail/', name: 'an item', at: (page) => page.locator('section.items a.traced').first(), table: 'item' },
];

describe('acc069 the trail of a number', { skip: NO_ACCOUNTS }, () => {
  for (const place of PLACES)
    it(`leads from ${place.name} to a raw digest in at most four clicks`, async () => {
      const { page, faults, close, api } = await sitDown(chrome.browser, 'demo-auditor');
      try {
        await page.goto(`${server.url}${place.page}`);
        await page.locator('[data-test=headline]').waitFor();
        await place.at(page).waitFor();
        const { click, clicks } = counter(page);
        await click(place.at(page));
        await page.locator('#purpose').fill('双击证据链检查');
        await click(page.locator('[data-test=say]'));
        await page.locator('[data-test=interviews]').waitFor();
        assert.match(await page.locator('[data-test=answer]').innerText(), /都与结果一致/);
        assert.match(page.url(), new RegExp(`/trail/[^/]+/${place.table}/`));
        assert.deepEqual(await axeFaults(page), [], 'the list');
        await click(page.locator('[data-test=interviews] tbody th a').first());
        const digest = await page.locator('[data-test=digest]').first().innerText();
        assert.match(digest, /^[0-9a-f]{64}$/);
        assert.ok(clicks() <= 4, `${clicks()} clicks`);
        const submission = await page.locator('[data-test=submission]').innerText();
        const evidence = await api(`/submissions/${submission}/evidence?purpose=test`);
        assert.equal(digest, evidence.revisions[0].sha256);
        assert.equal(await page.locator('[data-test=short]').first().innerText(), evidence.revisions[0].receipt.short_code);
        assert.deepEqual(await axeFaults(page), [], 'the evidence');
        const [digests] = await Promise.all([page.waitForEvent('download'), page.locator('[data-test=digests]').click()]);
        assert.ok(readFileSync(await digests.path(), 'utf8').startsWith(`${digest}  ${submission}.rev1.json`));
        const [receipt] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '下载收据' }).first().click()]);
        assert.equal(readFileSync(await receipt.path(), 'utf8'), evidence.revisions[0].receipt.text);
        const [proof] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '下载日志证明' }).first().click()]);
        assert.match(readFileSync(await proof.path(), 'utf8'), /tlog-proof/);
        const log = await api(`/audit/entries?object=response/${submission}&limit=200`);
        const read = log.entries.filter((entry) => entry.action === 'response.trace');
        assert.ok(read.some((entry) => entry.detail.purpose === '双击证据链检查'), 'the reading is in the log');
        assert.deepEqual(faults, []);
      } finally {
        await close();
      }
    });

  it('agrees with the results for cells of every table, overlapping groups and withheld ones among them', async () => {
    const { page, close, api } = await sitDown(chrome.browser, 'demo-auditor');
    try {
      const run = await api('/runs/latest');
      const results = await api(`/runs/${run.id}/results`);
      const near = (one, other) => Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(other));
      const cells = [...results.tables, results.scores.tiers, results.scores.distribution].flatMap((table) =>
        table.rows.filter((_, at) => at % 7 === 0).map((row) => ({ table: table.id, cell: table.by.map((by) => row.domain[by]).join(',') || 'all', row })),
      );
      assert.ok(cells.some(({ table }) => table === 'key_group') && cells.length > 25, `${cells.length}`);
      for (const { table, cell, row } of cells) {
        const found = await api(`/runs/${run.id}/cells/${table}/${cell}/interviews?purpose=test&limit=1`);
        assert.equal(found.n, row.n, `${table}/${cell}`);
        if (row.population !== null && row.n > 0) assert.ok(near(found.weight, row.population), `${table}/${cell}: ${found.weight} ${row.population}`);
        if (row.estimate !== null) assert.ok(near(found.figure, row.estimate), `${table}/${cell}: ${found.figure} ${row.estimate}`);
      }
      await page.close();
    } finally {
      await close();
    }
  });

  it('is not there for the public, nor for an administrator', async () => {
    const { page, faults, close } = await openPage(chrome.browser);
    await page.goto(`${server.url}/`);
    await ready(page);
    await page.waitForLoadState('networkidle');
    assert.equal(await page.locator('a.traced').count(), 0);
    assert.deepEqual(faults, []);
    await close();
    const admin = await sitDown(chrome.browser, 'demo-admin');
    await admin.page.goto(`${server.url}/`);
    await ready(admin.page);
    await admin.page.waitForLoadState('networkidle');
    assert.equal(await admin.page.locator('a.traced').count(), 0);
    await admin.close();
  });

  it('fits a tablet and dark colours, and speaks English', async () => {
    for (const look of [
      { size: SIZES.tablet, scheme: 'dark', language: 'zh-CN' },
      { size: SIZES.landscape, scheme: 'light', language: 'en' },
    ]) {
      const { page, faults, close, go, api } = await sitDown(chrome.browser, 'demo-analyst', look);
      const run = await api('/runs/latest');
      await go(`trail/${run.id}/city/all`);
      await page.locator('[data-test=say]').click();
      await page.getByRole('alert').filter({ hasText: /./ }).first().waitFor();
      assert.deepEqual(await axeFaults(page), []);
      await page.locator('#purpose').fill('audit');
      await page.locator('[data-test=say]').click();
      await page.locator('[data-test=next]').click();
      await settled(page);
      await page.locator('[data-test=interviews] tbody th a').first().click();
      await page.locator('[data-test=digest]').first().waitFor();
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)) <= 0, 'it fits');
      assert.deepEqual(await axeFaults(page), []);
      assert.deepEqual(faults, []);
      await close();
    }
  });
});
