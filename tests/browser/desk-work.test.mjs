// The office's work, one full action each, on the demo: what the page says is what the API says afterwards.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axeFaults, serverUnderTest, startBrowser } from './browser.mjs';
import { NO_ACCOUNTS, settled, sitDown, takeStep } from './desk.mjs';

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

async function at(login, work, options) {
  const desk = await sitDown(chrome.browser, login, options);
  try {
    await work(desk);
    // A refusal is part of some work; the browser tells of each in its console.
    const own = desk.faults.filter((fault) => !fault.includes('Failed to load resource'));
    assert.deepEqual(own, []);
    if (!options?.refusals) assert.deepEqual(desk.faults, []);
  } finally {
    await desk.close();
  }
}

const thin = (n) => String(n).replaceAll(/\B(?=(\d{3})+$)/g, '\u202f');
const share = (value) => (value === null ? '–' : `${(value * 100).toFixed(2)}%`);
const surveyOf = async (api) => (await api('/surveys')).surveys.find((one) => one.code === 'harbin-2025-demo').id;
const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Opens the first waiting response for this reason; its id. */
async function openFirst(page, go, api, why) {
  const { queue } = await api(`/surveys/${await surveyOf(api)}/queue`);
  const found = queue.find((one) => one.why === why && !one.for_another);
  assert.ok(found, `the demo has one that waits for ${why}`);
  await go(`review/${found.response.id}`);
  await page.locator('[data-test=case]').waitFor();
  return found.response.id;
}

const stateOf = async (api, id) => (await api(`/responses/${id}`)).response;

describe('the work of the desk', { skip: NO_ACCOUNTS }, () => {
  it('progress: numbers on the page, in the file and in the API are the same', () =>
    at('demo-supervisor', async ({ page, go, api }) => {
      await go('progress');
      const progress = await api(`/surveys/${await surveyOf(api)}/progress`);
      const sentence = await page.locator('[data-test=answer]').innerText();
      for (const part of [thin(progress.whole.completed), thin(progress.whole.planned), share(progress.whole.completion)]) assert.ok(sentence.includes(part), sentence);
      const shown = await page.locator('[data-test=districts] tbody tr').evaluateAll((rows) => rows.map((row) => [...row.children].slice(1).map((cell) => cell.innerText)));
      const expected = [progress.whole, ...progress.districts].map((row) => [
        share(row.completion),
        ...['issued', 'assigned', 'tried', 'contacted', 'completed', 'waiting', 'returned', 'approved'].map((name) => thin(row[name])),
        ...['rr1', 'rr3', 'coop1', 'ref1', 'con1'].map((name) => share(row.rates[name])),
      ]);
      assert.equal(shown.length, 19, 'the whole and eighteen districts');
      assert.deepEqual(shown, expected);
      const [file] = await Promise.all([page.waitForEvent('download'), button(page, '下载（CSV）').click()]);
      const lines = String(readFileSync(await file.path())).trim().split('\n').map((line) => line.split(','));
      assert.deepEqual(lines.slice(1).map((line) => Number(line[11])), [progress.whole, ...progress.districts].map((row) => row.completion));
      // The demo's story: four tablets have not sent.
      assert.equal(await page.locator('[data-test=device].behind').count(), 4);
      assert.match(await page.locator('.notice.caution').innerText(), /4 台平板上还有 12 条记录/);
    }));

  it('review: a conflict is compared and chosen', () =>
    at('demo-supervisor', async ({ page, go, api }) => {
      await go('review');
      assert.match(await page.locator('[data-test=answer]').innerText(), /最先要处理的是样本 230102-\d\d-\d\d：同一版本有两份内容/);
      const id = await openFirst(page, go, api, 'conflict');
      await button(page, '看差别').click();
      await page.locator('[data-test=differences]').waitFor();
      const words = await page.locator('[data-test=differences] tbody tr').first().locator('td').allInnerTexts();
      assert.deepEqual(words.slice(1).toSorted(), ['对', '错'].toSorted(), 'in the words of the options');
      assert.deepEqual(await axeFaults(page), []);
      await page.locator('[data-test=versions]').getByRole('button', { name: '选定这份' }).first().click();
      await takeStep(page);
      await page.getByText('请写明理由。').waitFor();
      assert.deepEqual(await axeFaults(page), [], 'the dialog');
      await takeStep(page, { reason: '以平板上保存的原件为准' });
      await page.locator('[data-test=done]').waitFor();
      assert.equal((await stateOf(api, id)).conflict, false);
    }));

  it('review: two persons approve, and one person twice is refused in words', async () => {
    let id;
    await at(
      'demo-supervisor',
      async ({ page, go, api }) => {
        id = await openFirst(page, go, api, 'first');
        await button(page, '一审通过').click();
        await takeStep(page);
        await page.locator('[data-test=state]').getByText('一审通过').waitFor();
        await button(page, '二审通过').click();
        await takeStep(page);
        await page.getByText('须由另一人操作').waitFor();
        await button(page, '取消').click();
        assert.equal((await stateOf(api, id)).state, 'approved_l1');
        assert.match(await page.locator('[data-test=history]').innerText(), /一审通过：示例督导员甲/);
      },
      { refusals: true },
    );
    await at('demo-supervisor-2', async ({ page, go, api }) => {
      await go(`review/${id}`);
      await button(page, '二审通过').click();
      await takeStep(page);
      await page.locator('[data-test=state]').getByText('通过', { exact: true }).waitFor();
      assert.equal((await stateOf(api, id)).state, 'approved_l2');
      await button(page, '锁定').click();
      await takeStep(page);
      await page.locator('[data-test=state]').getByText('锁定').waitFor();
    });
  });

  it('review: many at once', () =>
    at('demo-supervisor-2', async ({ page, go, api }) => {
      await go('review');
      await page.locator('[data-test=why]').selectOption('first');
      const row = page.locator('[data-test=row]').first();
      const id = (await row.locator('th a').getAttribute('href')).split('/').at(-1);
      await row.locator('input[type=checkbox]').check();
      await page.locator('[data-test=approve-many]').click();
      await page.locator('[data-test=results]').getByText('已通过 1 份。').waitFor();
      assert.equal((await stateOf(api, id)).state, 'approved_l1');
    }));

  it('review: returned with a comment on an item, which the surveyor gets', () =>
    at('demo-supervisor', async ({ page, go, api }) => {
      const id = await openFirst(page, go, api, 'signs');
      assert.match(await page.locator('.badge').allInnerTexts().then((all) => all.join()), /用时过短/);
      await page.getByRole('button', { name: '对 K01 题写意见' }).click();
      await page.getByRole('textbox', { name: '对 K01 题写意见' }).fill('请重新询问');
      await page.getByRole('button', { name: /^退回/ }).click();
      await takeStep(page, { reason: '用时过短，请补访' });
      await page.locator('[data-test=state]').getByText('退回').waitFor();
      const detail = await api(`/responses/${id}`);
      const last = detail.review.at(-1);
      assert.deepEqual([last.action, last.comment, last.item_comments], ['response.return', '用时过短，请补访', [{ item: 'K01', comment: '请重新询问' }]]);
      assert.match(await page.locator('[data-test=history]').innerText(), /地心的温度非常高：请重新询问/);
    }));

  it('review: void is asked for with a reason and a typed word, and confirmed by another', async () => {
    let id;
    await at('demo-supervisor', async ({ page, go, api }) => {
      id = await openFirst(page, go, api, 'signs');
      await button(page, '申请作废').click();
      await takeStep(page, { reason: '回访证实没有接受访问', typed: '作 废' });
      await page.getByText('请照原样输入“作废”。').waitFor();
      await takeStep(page, { typed: '作废' });
      await page.locator('[data-test=done]').waitFor();
      assert.deepEqual(((one) => [one.state, one.void_requested])(await stateOf(api, id)), ['parsed', true]);
    });
    await at('demo-supervisor-2', async ({ page, go, api }) => {
      await go(`review/${id}`);
      await button(page, '确认作废').click();
      await takeStep(page, { typed: '作废' });
      await page.locator('[data-test=state]').getByText('作废').waitFor();
      assert.equal((await stateOf(api, id)).state, 'void');
    });
  });

  it('review: a surplus interview is promoted, and quarantine is seen by who may see everywhere', () =>
    at('demo-supervisor-2', async ({ page, go, api }) => {
      await go('review');
      assert.match(await page.locator('[data-test=quarantine] tbody').innerText(), /样本/);
      const id = await openFirst(page, go, api, 'surplus');
      await button(page, '改用这一份').click();
      await takeStep(page, { reason: '第一份访问对象不符' });
      await page.locator('[data-test=state]').getByText('已解析').waitFor();
      assert.equal((await stateOf(api, id)).state, 'parsed');
    }));

  it('cases: given to a surveyor', () =>
    at('demo-supervisor', async ({ page, go, api }) => {
      await go('cases');
      const before = (await api(`/surveys/${await surveyOf(api)}/cases?limit=1&unassigned=true`)).total;
      await page.locator('[data-test=assign]').click();
      await page.getByText('请先选择分派给谁。').waitFor();
      const first = page.locator('[data-test=cases] tbody tr').first();
      const id = (await first.locator('th').innerText()).trim();
      await first.locator('input[type=checkbox]').check();
      await page.locator('[data-test=person]').selectOption({ label: '示例调查员5（示例-05）' });
      await page.locator('[data-test=assign]').click();
      await page.locator('[data-test=done]').getByText('已把 1 户分派给示例调查员5').waitFor();
      const survey = await surveyOf(api);
      assert.equal((await api(`/surveys/${survey}/cases?limit=1&unassigned=true`)).total, before - 1);
      assert.equal((await api(`/surveys/${survey}/cases?prefix=${id}`)).cases[0].holder_name, '示例调查员5');
    }));

  it('cases: a faulty file of contact data is told by line and column, and never by what stood there', () =>
    at(
      'demo-supervisor',
      async ({ page, go }) => {
        await go('cases');
        const panel = page.locator('[data-test=contacts]');
        const text = 'case_id,address,name,phone,note\nnowhere-1,某街道1号,,,\n';
        await panel.locator('input[type=file]').setInputFiles({ name: 'contacts.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
        await panel.getByRole('button', { name: '导入', exact: true }).click();
        const row = panel.locator('[data-test=fault] tbody tr').first();
        await row.waitFor();
        assert.equal(await row.locator('th').innerText(), '2');
        assert.ok(!(await panel.locator('[data-test=fault]').innerText()).includes('某街道'));
      },
      { refusals: true },
    ));

  it('people: a tablet joins by the code of the picture, once', () =>
    at('demo-supervisor', async ({ page, go }) => {
      await go('people');
      await page.locator('[data-test=make-code]').click();
      await page.getByText('请选择使用人。').waitFor();
      await page.locator('#enrol-person').selectOption({ label: '示例调查员2（示例-02）' });
      await page.locator('#enrol-label').fill('备用平板');
      await page.locator('[data-test=make-code]').click();
      const code = page.locator('[data-test=code]');
      await code.waitFor();
      assert.ok(await code.locator('img').evaluate((img) => img.complete && img.naturalWidth > 0), 'the picture is drawn');
      assert.deepEqual(await axeFaults(page), []);
      const signs = (await code.locator('.signs').innerText()).trim();
      const join = async () =>
        fetch(`${url}/api/v1/enrol`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code: signs, device_pubkey: 'test', release: '0.1.0', ua: 'test', storage: null }) });
      assert.equal((await join()).status, 201);
      assert.equal((await join()).status, 410, 'once');
      await go('');
      await go('people');
      const row = page.locator('[data-test=tablets] tr', { hasText: '备用平板' });
      await row.getByRole('button', { name: /^挂失/ }).click();
      await takeStep(page, { typed: '备用平板' });
      await row.getByText('已挂失').waitFor();
    }));

  it('people: one administrator proposes, another confirms', async () => {
    await at('demo-admin', async ({ page, go }) => {
      await go('people');
      await page.locator('#new-login').fill('new-person');
      await page.locator('#new-name').fill('新来的人');
      await page.locator('#new-password').fill('correct horse battery');
      await page.locator('[data-test=new-user] button[type=submit]').click();
      await page.getByText('已添加新来的人').waitFor();
      await page.locator('#grant-user').selectOption({ label: '新来的人（new-person）' });
      await page.locator('#grant-scope').fill('230102');
      await page.locator('[data-test=new-grant] button[type=submit]').click();
      await page.locator('[data-test=proposed]').getByText('须由另一位管理员确认').waitFor();
      assert.equal(await page.locator('[data-test=proposed]').getByRole('button', { name: '确认授权' }).count(), 0);
      assert.deepEqual(await axeFaults(page), []);
    });
    await at('demo-admin-2', async ({ page, go, api }) => {
      assert.match(await page.locator('[data-test=answer]').innerText(), /1 项授权等您确认/);
      await go('people');
      await page.locator('[data-test=proposed]').getByRole('button', { name: '确认授权' }).click();
      await takeStep(page);
      await page.locator('[data-test=done]').waitFor();
      const { users } = await api('/users?limit=200');
      const grants = users.find((user) => user.login === 'new-person').grants;
      assert.deepEqual(grants.map((grant) => [grant.role, grant.scope, grant.state]), [['surveyor', '230102', 'active']]);
      // And out again.
      await page.getByRole('button', { name: '停用新来的人的账号' }).click();
      await takeStep(page, { typed: 'new-person' });
      await page.locator('[data-test=users] tr', { hasText: '新来的人' }).getByText('已停用').waitFor();
    });
  });

  it('set-up: a faulty file is told line by line and changes nothing; a good one is counted before it counts', () =>
    at(
      'demo-analyst',
      async ({ page, go, api }) => {
        const survey = await surveyOf(api);
        const before = JSON.stringify((await api(`/surveys/${survey}`)).files);
        await go(`setup/${survey}`);
        const panel = page.locator('[data-test=file-regions]');
        const upload = (name, text) => panel.locator('input[type=file]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
        const head = 'code,name_zh,name_en,parent\n230100,哈尔滨市,Harbin,\n';
        await upload('错误.csv', `${head}23010,道里区,Daoli,230100\n230103,南岗区,Nangang,239999\n`);
        await panel.getByText('“错误.csv”没有导入，现用的文件没有改变。').waitFor();
        const faults = await panel.locator('[data-test=fault] tbody tr').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.innerText)));
        assert.deepEqual(faults.map(([line, place]) => [line, place]), [['3', 'code'], ['4', 'parent']], JSON.stringify(faults));
        assert.deepEqual(await axeFaults(page), []);
        await upload('区划.csv', `${head}230102,道里区,Daoli,230100\n`);
        await panel.locator('[data-test=checked]').getByText('区划 2 个').waitFor();
        assert.equal(JSON.stringify((await api(`/surveys/${survey}`)).files), before, 'a check changes nothing');
      },
      { refusals: true },
    ));

  it('set-up: a survey from a questionnaire to its imported sample, and closed', () =>
    at('demo-analyst', async ({ page, go, api }) => {
      await go('setup');
      const form = page.locator('[data-test=new-survey]');
      await form.locator('button[type=submit]').click();
      await page.getByText('请填写全部各项，并选择评分方案文件。').waitFor();
      await form.locator('#survey-code').fill('desk-test');
      await form.locator('#survey-title').fill('工作台试验调查');
      await form.locator('#survey-place').fill('某市');
      await form.locator('#survey-questionnaire').selectOption({ index: 1 });
      await form.locator('input[type=file]').setInputFiles(new URL('../../questionnaires/profiles/A-2024.toml', import.meta.url).pathname);
      await form.locator('#survey-from').fill('2019-05-01');
      await form.locator('#survey-to').fill('2019-06-30');
      await form.getByLabel('示例数据').check();
      await form.locator('button[type=submit]').click();
      await page.getByText('还缺：区划、样本、总体边际、目标。').waitFor();
      const panel = page.locator('[data-test=file-sample]');
      const sample = 'case_id,district,stratum,psu,residence,prob_psu,prob_household\nx1,230102,s1,p1,urban,0.5,0.1\nx2,230102,s1,p2,rural,0.5,0.1\n';
      await panel.locator('input[type=file]').setInputFiles({ name: 'sample.csv', mimeType: 'text/csv', buffer: Buffer.from(sample) });
      await panel.getByText('样本 2 户').waitFor();
      await panel.getByRole('button', { name: '导入', exact: true }).click();
      await panel.getByText('已导入，现用第 1 版。').waitFor();
      await settled(page);
      const made = (await api('/surveys')).surveys.find((one) => one.code === 'desk-test');
      assert.equal((await api(`/surveys/${made.id}`)).cases, 2);
      await page.locator('[data-test=toggle]').click();
      await takeStep(page);
      await page.getByText('调查已关闭。').waitFor();
      assert.equal((await api(`/surveys/${made.id}`)).survey.state, 'closed');
    }));

  it('runs: started with an earlier run, followed to its end by the page itself', () =>
    at('demo-analyst', async ({ page, go, api }) => {
      await go('runs');
      const survey = await surveyOf(api);
      const count = async () => (await api('/runs?limit=200')).runs.filter((run) => run.survey === survey).length;
      const before = await count();
      const option = page.locator('#run-earlier option', { hasText: '2023' }).first();
      await page.locator('#run-earlier').selectOption(await option.getAttribute('value'));
      await page.locator('[data-test=start]').click();
      await page.getByText('已排队').waitFor();
      await page.locator('[data-test=answer]').getByText('最近一次计算于').waitFor({ timeout: 120_000 });
      const newest = (await api('/runs?limit=1')).runs[0];
      assert.deepEqual([await count(), newest.state, newest.request.variance.method], [before + 1, 'succeeded', 'taylor']);
      assert.match(await page.locator('[data-test=runs] tbody tr').first().innerText(), new RegExp(newest.id.slice(-8)));
      const files = await page.locator('[data-test=files] tbody tr').count();
      assert.equal(files, (await api(`/runs/${newest.id}/files`)).files.length);
    }));

  it('audit: the newest entries, refusals among them, and the checkpoint to keep', () =>
    at('demo-auditor', async ({ page, go, api }) => {
      await go('audit');
      const [file] = await Promise.all([page.waitForEvent('download'), button(page, '保存检查点').click()]);
      const note = String(readFileSync(await file.path()));
      const size = Number(note.split('\n')[1]);
      const first = Number(await page.locator('[data-test=entries] tbody th').first().innerText());
      assert.equal(first, size - 1, 'the page begins at the end of the log');
      assert.ok((await page.locator('[data-test=commands]').innerText()).includes('scilit audit verify'));
      const digests = await page.locator('[data-test=files] tbody td.wrap').allInnerTexts();
      const run = (await api('/runs?limit=20')).runs.find((one) => one.state === 'succeeded');
      const { files } = await api(`/runs/${run.id}/files`);
      assert.ok(files.filter((one) => one.sha256).length > 10);
      assert.deepEqual(digests, files.map((one) => one.sha256 ?? '首次下载时生成'));
      await page.getByRole('button', { name: '更早' }).click();
      await settled(page);
      assert.equal(Number(await page.locator('[data-test=entries] tbody th').first().innerText()), size - 51);
    }));
});
