// The page over time: the same numbers as the API, in both languages and both colour schemes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axeFaults, openPage, serverUnderTest, SIZES, startBrowser, writing } from './browser.mjs';

let server;
let chrome;
let series;

before(async () => {
  server = await serverUnderTest();
  chrome = await startBrowser();
  const read = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
  const run = await read('/runs/latest');
  series = server.real ? await read(`/runs/${run.id}/series`) : null;
});
after(async () => {
  await chrome?.close();
  server?.close();
});

async function visit(options, work) {
  const { page, faults, close } = await openPage(chrome.browser, options);
  try {
    await page.goto(`${server.url}/trend/`);
    await page.locator('[data-test=headline]').waitFor();
    await work(page);
    assert.deepEqual(faults, []);
  } finally {
    await close();
  }
}

const share = (value) => writing(series)(value);
const signed = (value) => `${value > 0 ? '+' : '\u2212'}${share(Math.abs(value)).replace('%', '')}`;

describe('the waves', { skip: process.env.SCILIT_URL ? false : 'the stand-in has one run only' }, () => {
  it('are three in the demo, told in the first sentence with the change and its interval', async () => {
    assert.deepEqual(series.waves.map((wave) => wave.year), [2021, 2023, 2025]);
    await visit({}, async (page) => {
      const sentence = await page.locator('[data-test=headline]').innerText();
      const change = series.changes.find((one) => one.from === 2021 && one.to === 2025);
      for (const part of [share(series.waves[0].whole.estimate), share(series.waves[2].whole.estimate), signed(change.whole.estimate), signed(change.whole.ci[0])])
        assert.ok(sentence.includes(part), `${part} in ${sentence}`);
      assert.equal(await page.locator('[data-test=target]').count(), series.targets.length);
    });
  });

  it('have the numbers of the API in the table and in the file', async () => {
    await visit({}, async (page) => {
      const figure = page.locator('figure').first();
      await figure.locator('summary').click();
      const shown = await figure.locator('[data-test=waves] tbody tr').evaluateAll((rows) => rows.map((row) => row.children[1].innerText.trim()));
      assert.deepEqual(shown, series.waves.map((wave) => share(wave.whole.estimate)));
      const [download] = await Promise.all([page.waitForEvent('download'), figure.getByRole('button', { name: 'CSV' }).click()]);
      const lines = String(readFileSync(await download.path())).trim().split('\r\n').map((line) => line.split(','));
      const estimates = lines.filter((line) => line[0] === 'wave').map((line) => Number(line[5]));
      assert.deepEqual(estimates, series.waves.map((wave) => wave.whole.estimate));
      assert.equal(lines.filter((line) => line[0] === 'national').length, series.national.length);
    });
  });

  it('are saved as a picture with its colours written in', async () => {
    await visit({ scheme: 'dark' }, async (page) => {
      const figure = page.locator('figure').first();
      const [download] = await Promise.all([page.waitForEvent('download'), figure.getByRole('button', { name: 'SVG' }).click()]);
      const svg = String(readFileSync(await download.path()));
      assert.ok(svg.includes(await figure.locator('h2').innerText()) || svg.includes('2021'), 'the finding stands in the picture');
      assert.ok(!svg.includes('var('), 'colours are written in');
    });
  });

  for (const [size, language, scheme] of [['tablet', 'zh-CN', 'dark'], ['landscape', 'en', 'light'], ['phone', 'zh-CN', 'light']])
    it(`are accessible and fit: ${size}, ${language}, ${scheme}`, async () => {
      await visit({ size: SIZES[size], language, scheme }, async (page) => {
        await page.locator('summary').first().click();
        assert.deepEqual(await axeFaults(page), []);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wider <= 0, `the page is ${wider} px too wide`);
      });
    });
});
