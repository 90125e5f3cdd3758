// Every page of the desk as every role: it answers its question, says so when it is another role's, has no fault, and fits.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { answering, axeFaults, openPage, serverUnderTest, SIZES, startBrowser } from './browser.mjs';
import { NO_ACCOUNTS, passwordOf, sitDown } from './desk.mjs';

const PAGES = ['', 'progress', 'review', 'cases', 'people', 'setup', 'runs', 'audit', 'account'];
const ROLES = {
  'demo-supervisor': ['', 'progress', 'review', 'cases', 'people', 'runs', 'account'],
  'demo-analyst': ['', 'progress', 'setup', 'runs', 'account'],
  'demo-auditor': ['', 'progress', 'runs', 'audit', 'account'],
  'demo-admin': ['', 'progress', 'cases', 'people', 'setup', 'runs', 'audit', 'account'],
  'demo-surveyor': ['', 'account'],
};
const LOOKS = [
  { size: SIZES.desktop, language: 'zh-CN', scheme: 'light' },
  { size: { width: 1024, height: 768 }, language: 'en', scheme: 'light' },
  { size: SIZES.tablet, language: 'zh-CN', scheme: 'dark' },
];

let chrome;
let server;
let url;
before(async () => {
  server = await serverUnderTest();
  ({ url } = server);
  chrome = await startBrowser();
});
after(async () => {
  await chrome?.close();
  server?.close();
});

const wider = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

describe('the desk', { skip: NO_ACCOUNTS }, () => {
  for (const [login, own] of Object.entries(ROLES))
    for (const look of LOOKS)
      it(`has every page of ${login} without a fault: ${look.size.width} px, ${look.language}, ${look.scheme}`, async () => {
        const { page, faults, close, go } = await sitDown(chrome.browser, login, look);
        try {
          for (const name of own) {
            await go(name);
            assert.ok((await page.locator('main h1').first().innerText()).length > 1, name);
            assert.equal(await page.locator('main .state.loss').count(), 0, `${name} could be read`);
            assert.deepEqual(await axeFaults(page), [], name);
            assert.ok((await wider(page)) <= 0, `${name} fits`);
          }
          assert.deepEqual(faults, []);
        } finally {
          await close();
        }
      });

  it('says of every other page whose it is, and offers only one’s own', async () => {
    for (const [login, own] of Object.entries(ROLES)) {
      const { page, faults, close, go } = await sitDown(chrome.browser, login);
      const shown = await page.locator('nav a').evaluateAll((links) => links.map((link) => link.hash.replace(/^#\//, '')).filter((hash) => hash !== ''));
      assert.deepEqual(shown, own.filter((name) => name !== '' && name !== 'account'), login);
      for (const name of PAGES.filter((one) => !own.includes(one))) {
        await go(name);
        await page.getByText('没有“').first().waitFor();
        assert.deepEqual(await axeFaults(page), [], `${login} ${name}`);
      }
      assert.deepEqual(faults, []);
      await close();
    }
  });

  it('is entered by keyboard, refuses in words, and is left again', async () => {
    const { page, close } = await openPage(chrome.browser, {});
    await page.goto(`${url}/desk/`);
    await page.locator('#login').waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await page.locator('#login').focus();
    await page.keyboard.type('demo-auditor');
    await page.keyboard.press('Enter');
    await page.getByText('请填写全部各项。').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('not the password');
    await page.keyboard.press('Enter');
    await page.getByText('账号或密码不正确').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'password', 'one types the password again at once');
    await page.keyboard.type(passwordOf('demo-auditor'));
    await page.keyboard.press('Enter');
    await page.locator('[data-test=who]').waitFor();
    await page.reload();
    await page.locator('[data-test=who]').waitFor();
    assert.equal(await page.evaluate(() => Object.values({ ...localStorage, ...sessionStorage }).join().includes(document.cookie || 'scilit=')), false, 'no script holds the session');
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.locator('#login').waitFor();
    assert.equal(await page.evaluate(async () => (await fetch('/api/v1/me')).status), 401);
    await close();
  });

  it('asks to sign in again when the session has ended, and goes on where one was', async () => {
    const { page, close, go } = await sitDown(chrome.browser, 'demo-analyst');
    await go('runs');
    await page.context().clearCookies();
    await go('progress');
    await page.getByText('登录已过期').first().waitFor();
    await page.locator('#password').fill(passwordOf('demo-analyst'));
    await page.locator('#password').press('Enter');
    await page.locator('[data-test=districts]').waitFor();
    await close();
  });

  it('shows what happened when the server has a fault, and goes on by “try again”', async () => {
    let broken = true;
    const arrange = async (page) => {
      await page.route('**/progress', (route) =>
        broken
          ? route.fulfill({ status: 500, contentType: 'application/problem+json', headers: { 'X-Survey-Api': '1' }, body: JSON.stringify({ title: '服务器内部错误', code: 'internal', request_id: 'r-77' }) })
          : route.fallback(),
      );
    };
    const { page, faults, close, go } = await sitDown(chrome.browser, 'demo-auditor', { arrange });
    await go('progress');
    await page.getByText('r-77').waitFor();
    assert.deepEqual(await axeFaults(page), []);
    broken = false;
    await page.getByRole('button', { name: '重试' }).click();
    await page.locator('[data-test=districts]').waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  it('says what to do when there is nothing yet', async () => {
    const arrange = answering({ '/surveys': [200, { surveys: [] }] });
    const { page, faults, close, go } = await sitDown(chrome.browser, 'demo-auditor', { arrange });
    for (const name of ['progress', 'runs']) {
      await go(name);
      await page.getByRole('heading', { name: '还没有调查' }).waitFor();
      assert.deepEqual(await axeFaults(page), [], name);
    }
    assert.deepEqual(faults, []);
    await close();
  });

  it('says so when a page did not load, instead of showing nothing', async () => {
    const arrange = (page) => page.route('**/assets/ProgressPage-*.js', (route) => route.abort());
    const { page, close, go } = await sitDown(chrome.browser, 'demo-auditor', { arrange });
    await go('progress');
    await page.getByRole('heading', { name: '这一页没有载入' }).waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await page.getByRole('button', { name: '重新载入' }).waitFor();
    await close();
  });

  it('carries at most 150 KiB compressed to a page', async () => {
    const { page, close } = await openPage(chrome.browser, {});
    const sizes = [];
    page.on('response', (response) => sizes.push(response));
    await page.goto(`${url}/desk/`);
    await page.locator('#login').waitFor();
    const { gzipSync } = await import('node:zlib');
    const bodies = await Promise.all(sizes.map((response) => response.body()));
    const bytes = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
    assert.ok(bytes < 150 * 1024, `${bytes} bytes`);
    await close();
  });
});

