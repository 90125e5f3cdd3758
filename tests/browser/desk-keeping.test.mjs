// How long things are kept, the legal hold, and runs that begin by themselves, as the desk shows and sets them.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axeFaults, serverUnderTest, startBrowser } from './browser.mjs';
import { NO_ACCOUNTS, settled, sitDown, takeStep } from './desk.mjs';

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

const surveyOf = async (api) => (await api('/surveys')).surveys.find((one) => one.code === 'harbin-2025-demo').id;

async function at(login, work, options) {
  const desk = await sitDown(chrome.browser, login, options);
  try {
    await work(desk);
    assert.deepEqual(desk.faults.filter((fault) => !fault.includes('Failed to load resource')), []);
  } finally {
    await desk.close();
  }
}

describe('keeping and computing by itself', { skip: NO_ACCOUNTS }, () => {
  it('acc072 shows what is kept until when, and sets and asks to lift a legal hold', () =>
    at('demo-admin', async ({ page, go, api }) => {
      const id = await surveyOf(api);
      await go(`setup/${id}`);
      const section = page.locator('[data-test=retention]');
      await section.locator('[data-test=plan]').waitFor();
      const { plan } = await api(`/surveys/${id}/retention`);
      assert.equal(await section.locator('tbody tr').count(), plan.length + 1);
      assert.match(await section.innerText(), /原始答卷（份）/);
      assert.deepEqual(await axeFaults(page), []);
      await section.locator('[data-test=hold-set]').click();
      await takeStep(page, { reason: '统计监督检查期间' });
      await section.locator('[data-test=hold]').getByText('统计监督检查期间').waitFor();
      await section.getByText('保全中，不删除').first().waitFor();
      await section.locator('[data-test=hold-lift]').click();
      await takeStep(page, { reason: '检查结束' });
      await section.locator('[data-test=hold-confirm]').click();
      await takeStep(page);
      await page.locator('dialog[open]').getByText('须由另一人确认').waitFor();
      await page.getByRole('button', { name: '取消' }).click();
      assert.deepEqual(await axeFaults(page), []);
      await section.locator('[data-test=hold-keep]').click();
      await takeStep(page, { reason: '检查尚未结束' });
      await section.locator('[data-test=hold-lift]').waitFor();
      assert.equal((await api(`/surveys/${id}/retention`)).hold.lift_reason, null);
    }));

  it('shows the analyst the same without a hand on the hold', () =>
    at('demo-analyst', async ({ page, go, api }) => {
      await go(`setup/${await surveyOf(api)}`);
      await page.locator('[data-test=retention] [data-test=plan]').waitFor();
      assert.equal(await page.locator('[data-test=hold-set], [data-test=hold-lift]').count(), 0);
    }));

  it('sets a schedule in plain words, shows the next three times, and says in Chinese what is wrong with an expression', () =>
    at('demo-analyst', async ({ page, go, api }) => {
      const id = await surveyOf(api);
      await go('runs');
      const section = page.locator('[data-test=schedule]');
      await section.getByText('没有设定').waitFor();
      const put = () => section.locator('[data-test=schedule-put]').click();
      await section.locator('#schedule-every').selectOption('week');
      await section.locator('#schedule-day').selectOption({ label: '星期五' });
      await section.locator('#schedule-hour').selectOption({ label: '18' });
      await section.locator('#schedule-minute').selectOption({ label: '30' });
      await put();
      await section.locator('[data-test=times] li').first().waitFor();
      const set = await api(`/surveys/${id}/schedule`);
      assert.equal(set.cron, '30 18 * * 5');
      const times = await section.locator('[data-test=times] li').allInnerTexts();
      assert.equal(times.length, 3);
      assert.ok(times.every((time) => time.endsWith('18:30')), times.join());
      assert.deepEqual(set.next_times_ms.map((ms) => new Date(ms).getUTCDay()), [5, 5, 5]);
      assert.deepEqual(await axeFaults(page), []);
      await section.locator('#schedule-every').selectOption('other');
      await section.locator('#schedule-cron').fill('每天六点');
      await put();
      await section.locator('[data-test=fault]').getByText('应为五段的 cron 表达式').waitFor();
      assert.deepEqual(await axeFaults(page), []);
      await section.locator('#schedule-cron').fill('0 6 * * 1-5');
      await put();
      await section.getByRole('status').getByText('已保存').waitFor();
      await page.reload();
      await settled(page);
      assert.equal(await section.locator('#schedule-cron').inputValue(), '0 6 * * 1-5');
      await section.locator('#schedule-every').selectOption('never');
      await put();
      await section.getByText('没有设定').waitFor();
      assert.equal((await api(`/surveys/${id}/schedule`)).cron, null);
    }));

  it('shows others the times and lets them set none', () =>
    at('demo-supervisor', async ({ page, go }) => {
      await go('runs');
      await page.locator('[data-test=schedule]').getByText('没有设定').waitFor();
      assert.equal(await page.locator('[data-test=schedule-put]').count(), 0);
    }));
});
