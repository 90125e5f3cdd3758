// The page of details: the same numbers as the API, in both languages and colour schemes, at every size; and the report's way here.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axeFaults, openPage, serverUnderTest, SIZES, startBrowser, writing } from './browser.mjs';

let server;
let chrome;
let run;
let results;
// What stands behind the share is the office's: the demo's folder holds its tokens.
const folder = process.env['SCILIT_DEMO_FOLDER'];
let token = null;

const headers = () => (token === null ? {} : { Authorization: `Bearer ${token}` });

before(async () => {
  server = await serverUnderTest();
  chrome = await startBrowser();
  if (folder) {
    const line = readFileSync(`${folder}/tokens.txt`, 'utf8').split('\n').find((one) => one.startsWith('auditor'));
    token = line.trim().split(/\s+/).at(-1);
  }
  const read = async (path) => (await fetch(`${server.url}/api/v1${path}`, { headers: headers() })).json();
  run = await read('/runs/latest');
  results = await read(`/runs/${run.id}/results`);
});
after(async () => {
  await chrome?.close();
  server?.close();
});

async function visit(options, work) {
  const { page, faults, close } = await openPage(chrome.browser, options);
  try {
    if (token !== null) await page.addInitScript((value) => sessionStorage.setItem('scilit.token', value), token);
    await page.goto(`${server.url}/detail/`);
    await page.locator('[data-test=headline]').waitFor();
    if (results.scores) await page.locator('figure svg text').first().waitFor();
    await work(page);
    assert.deepEqual(faults, []);
  } finally {
    await close();
  }
}

const share = (value) => writing(results)(value);
const cellsOf = (page, section) =>
  page.locator(`section.${section} table`).first().locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.innerText.trim().split('\n')[0])));

describe('acc064 the page of details', () => {
  it('shows tiers, items and every response rate with the numbers of the API', async () => {
    await visit({}, async (page) => {
      const sentence = await page.locator('[data-test=headline]').innerText();
      for (const tier of results.scores.tiers.rows) assert.ok(sentence.includes(share(tier.estimate)), sentence);
      const items = await cellsOf(page, 'items');
      assert.equal(items.length, results.items.length);
      for (const [at, item] of results.items.entries())
        assert.deepEqual(items[at].slice(3, 6), [share(item.right), share(item.dont_know), share(item.refused)], item.item);
      const rates = await cellsOf(page, 'rates');
      for (const [at, row] of results.response_rates.entries()) {
        const kinds = ['rr1', 'rr3', 'coop1', 'ref1', 'con1'].map((kind) => share(row.rates[kind]));
        assert.deepEqual(rates[at].slice(3), [...kinds, share(row.completion)], row.label['zh-CN']);
      }
    });
  });

  for (const language of ['zh-CN', 'en'])
    for (const scheme of ['light', 'dark'])
      for (const [name, size] of Object.entries(SIZES))
        it(`is accessible and does not overflow: ${language} ${scheme} ${name}`, async () => {
          await visit({ language, scheme, size }, async (page) => {
            assert.deepEqual(await axeFaults(page), []);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
            assert.equal(wide, false, 'the page scrolls sideways');
          });
        });
});

describe('acc064 the report', () => {
  it('is one click on the results page, and its code leads to a page that compares the digest', async () => {
    if (!server.real || !folder) return;
    const { page, faults, close } = await openPage(chrome.browser);
    await page.addInitScript((value) => sessionStorage.setItem('scilit.token', value), token);
    await page.goto(`${server.url}/`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '下载报告（PDF）' }).click()]);
    assert.equal(download.suggestedFilename(), 'scilit-report.pdf');
    const { files } = await (await fetch(`${server.url}/api/v1/runs/${run.id}/files`, { headers: headers() })).json();
    const digest = files.find((one) => one.name === 'results.json').sha256;
    await page.goto(`${server.url}/?run=${run.id}&sha256=${digest}`);
    assert.match(await page.locator('[data-test=code]').innerText(), /核验一致/);
    await page.goto(`${server.url}/?run=${run.id}&sha256=${'0'.repeat(64)}`);
    assert.match(await page.locator('[data-test=code]').innerText(), /核验不一致/);
    assert.deepEqual(faults, []);
    await close();
    // Whoever has the printed report of a released run has no token.
    const stranger = await openPage(chrome.browser);
    const released = await (await fetch(`${server.url}/api/v1/runs/latest`)).json();
    const own = await (await fetch(`${server.url}/api/v1/runs/${released.id}`)).json();
    await stranger.page.goto(`${server.url}/?run=${released.id}&sha256=${own.results_sha256}`);
    assert.match(await stranger.page.locator('[data-test=code]').innerText(), /核验一致/);
    assert.deepEqual(stranger.faults, []);
    await stranger.close();
  });
});
