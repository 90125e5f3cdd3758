// The page of the design system.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { axeFaults, openPage, serverUnderTest, SIZES, startBrowser } from './browser.mjs';

let server;
let chrome;

before(async () => {
  server = await serverUnderTest();
  chrome = await startBrowser();
});
after(async () => {
  await chrome?.close();
  server?.close();
});

for (const language of ['zh-CN', 'en'])
  for (const scheme of ['light', 'dark'])
    it(`the design system holds its own rules: ${language}, ${scheme}`, async () => {
      const { page, faults, close } = await openPage(chrome.browser, { size: SIZES.tablet, language, scheme });
      try {
        await page.goto(`${server.url}/style/`);
        await page.locator('figure svg text').first().waitFor();
        assert.deepEqual(await axeFaults(page), []);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)) <= 0);
        assert.deepEqual(faults, []);
      } finally {
        await close();
      }
    });
