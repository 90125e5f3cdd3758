// What the start page shows when there is nothing to show, and the token dialog. The answers come from the test.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { answering, axeFaults, openPage, ready, serverUnderTest, shownResults, SIZES, startBrowser, writing } from './browser.mjs';

let server;
let chrome;
let results;

before(async () => {
  server = await serverUnderTest();
  chrome = await startBrowser();
  results = await shownResults(server);
});
after(async () => {
  await chrome?.close();
  server?.close();
});

const RUN = { id: '0193b1f2-0000-7000-8000-000000000001', state: 'succeeded' };
const problem = (status, title) => [status, { type: '/problems/x', title, status, code: 'x', request_id: 'r-77', errors: [] }];

async function visit(arrange, work, options = {}) {
  const { page, faults, close } = await openPage(chrome.browser, { ...options, arrange });
  try {
    await page.goto(`${server.url}/`);
    await work(page);
    assert.deepEqual(faults, []);
  } finally {
    await close();
  }
}

async function shows(page, heading, ...texts) {
  await page.getByRole('heading', { name: heading }).waitFor();
  for (const text of texts) await page.getByText(text).first().waitFor();
  assert.deepEqual(await axeFaults(page), []);
}

describe('without results the page says what happened and what to do', () => {
  it('when nothing was computed yet', () =>
    visit(answering({ '/runs/latest': problem(404, '没有找到'), '/runs': [200, { runs: [], next: null }] }), (page) =>
      shows(page, '还没有计算结果', '重试'),
    ));

  it('when the run failed', () =>
    visit(
      answering({
        '/runs/latest': problem(404, '没有找到'),
        '/runs': [200, { runs: [{ ...RUN, state: 'failed', error: { code: 'not-computable', message: 'sex = x: nobody' } }], next: null }],
      }),
      (page) => shows(page, '这次计算没有成功', '某个类别没有人应答', 'sex = x: nobody', RUN.id),
    ));

  it('when the server has a fault, with the number to hand on', () =>
    visit(answering({ '/runs/latest': problem(500, '服务器内部错误') }), (page) => shows(page, '服务器没有给出结果', '服务器内部错误', 'r-77')));

  it('when the reader has no right', () =>
    visit(answering({ '/runs/latest': [200, RUN], '/results': problem(403, '没有该地区的权限') }), (page) =>
      shows(page, '您没有查看这份结果的权限', '没有该地区的权限', '填写访问令牌'),
    ));

  it('when another machine answers', () =>
    visit(
      (page) => page.route('**/api/v1/**', (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<p>登录</p>' })),
      (page) => shows(page, '返回的内容不是本系统的'),
    ));

  it('when the network is down, and goes on by "try again"', async () => {
    let down = true;
    await visit(
      (page) => page.route('**/api/v1/**', (route) => (down ? route.abort() : route.fallback())),
      async (page) => {
        await shows(page, '连不上服务器');
        down = false;
        await page.getByRole('button', { name: '重试' }).click();
        await ready(page);
      },
    );
  });

  it('while it computes, and shows the results by itself', async () => {
    let asked = 0;
    const latest = () => {
      asked += 1;
      return asked < 2 ? problem(404, '没有找到') : [200, RUN];
    };
    const runs = [200, { runs: [{ ...RUN, state: 'running' }], next: null }];
    await visit(answering({ '/runs/latest': latest, '/runs': runs, '/results': () => [200, results] }), async (page) => {
      await shows(page, '结果正在计算');
      await ready(page);
    });
  });
});

describe('the token dialog', () => {
  const needs = (right) => async (page) => {
    await page.route('**/files/responses_weighted.csv*', (route) => {
      const allowed = route.request().headers()['authorization'] === `Bearer ${right}`;
      const headers = { 'X-Survey-Api': '1' };
      return allowed
        ? route.fulfill({ status: 200, headers, contentType: 'text/csv', body: 'id\r\nr1\r\n' })
        : route.fulfill({ status: 401, headers, contentType: 'application/problem+json', body: '{"title":"请先登录"}' });
    });
  };

  it('asks, refuses, saves the file, and remembers for the tab only', () =>
    visit(needs('right'), async (page) => {
      await ready(page);
      await page.getByLabel(/^用途/).fill('核算');
      const link = page.getByRole('link', { name: 'responses_weighted.csv' });
      await link.click();
      const dialog = page.getByRole('dialog', { name: '访问令牌' });
      await dialog.waitFor();
      assert.deepEqual(await axeFaults(page), []);
      await page.keyboard.press('Enter');
      await dialog.getByText('请填写访问令牌').waitFor();
      await page.keyboard.type('wrong');
      await page.keyboard.press('Enter');
      await dialog.getByText('令牌无效或没有权限').waitFor();
      await dialog.getByLabel('访问令牌', { exact: true }).fill('right');
      const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
      assert.equal(download.suggestedFilename(), 'responses_weighted.csv');
      await dialog.waitFor({ state: 'hidden' });
      await Promise.all([page.waitForEvent('download'), link.click()]);
      assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes('right')), false);
    }));

  it('keeps the focus inside, closes by Escape and gives the focus back', () =>
    visit(needs('right'), async (page) => {
      await ready(page);
      await page.getByLabel(/^用途/).fill('核算');
      const link = page.getByRole('link', { name: 'responses_weighted.csv' });
      await link.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      for (let step = 0; step < 8; step += 1) {
        await page.keyboard.press('Tab');
        const outside = await page.evaluate(() => document.activeElement !== document.body && !document.activeElement.closest('dialog'));
        assert.equal(outside, false);
      }
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      assert.equal(await page.evaluate(() => document.activeElement.textContent), 'responses_weighted.csv');
    }));

  it('opens the results when they need a login', async () => {
    await visit(
      async (page) => {
        await answering({ '/runs/latest': [200, RUN], '/results': () => [200, results] })(page);
        // The route set last is asked first.
        await page.route('**/api/v1/runs/**', (route) =>
          route.request().headers()['authorization'] === 'Bearer right'
            ? route.fallback()
            : route.fulfill({ status: 401, headers: { 'X-Survey-Api': '1' }, contentType: 'application/problem+json', body: '{"title":"请先登录"}' }),
        );
      },
      async (page) => {
        await shows(page, '查看结果需要访问令牌');
        await page.getByRole('button', { name: '填写访问令牌' }).click();
        await page.keyboard.type('right');
        await page.keyboard.press('Enter');
        await ready(page);
        await page.getByRole('dialog').waitFor({ state: 'hidden' });
      },
    );
  });
});

describe('the questionnaires', () => {
  it('are shown to staff', async () => {
    const form = { hash: 'ab'.repeat(32), id: 'csl-demo', version: '1.0.0', title: '示例问卷甲' };
    await visit(answering({ '/questionnaires': [200, { questionnaires: [form] }] }), async (page) => {
      await ready(page);
      await page.getByRole('button', { name: '查看已发布的问卷' }).click();
      await page.getByText('示例问卷甲').waitFor();
      assert.deepEqual(await axeFaults(page), []);
    });
  });

  it('ask others for a token', async () => {
    await visit(answering({ '/questionnaires': problem(401, '请先登录') }), async (page) => {
      await ready(page);
      await page.getByRole('button', { name: '查看已发布的问卷' }).click();
      await page.getByRole('dialog', { name: '访问令牌' }).waitFor();
    });
  });
});

describe('odd results', () => {
  const changed = (change) => {
    const copy = structuredClone(results);
    change(copy);
    return answering({ '/runs/latest': [200, RUN], '/results': [200, copy] });
  };
  const fits = async (page) => {
    await ready(page);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)) <= 0);
    const cut = await page.locator('figure svg').evaluateAll((charts) =>
      charts.flatMap((svg) => {
        const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')]
          .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }))
          .filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1)
          .map(({ text }) => text);
      }),
    );
    assert.deepEqual(cut, [], 'texts cut off by the edge of a chart');
    const piled = await page.locator('figure svg').evaluateAll((charts) =>
      charts.flatMap((svg) => {
        const boxes = [...svg.querySelectorAll('text')].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
        const deep = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 6;
        return boxes.flatMap((one, place) => boxes.slice(place + 1).filter((other) => deep(one.box, other.box)).map((other) => `${one.text} / ${other.text}`));
      }),
    );
    assert.deepEqual(piled, [], 'texts over each other');
  };
  const longNames = (copy) => {
    for (const row of copy.tables.find((one) => one.id === 'district').rows)
      row.labels[0] = { 'zh-CN': `莫力达瓦达斡尔族自治旗${row.labels[0]['zh-CN']}`, en: `Morin Dawa Daur Autonomous Banner ${row.labels[0].en}` };
  };

  for (const size of ['tablet', 'phone'])
    for (const language of ['zh-CN', 'en'])
      it(`with long names fit the page: ${size}, ${language}`, () => visit(changed(longNames), fits, { size: SIZES[size], language }));

  it('without any table still say what they are', () =>
    visit(
      changed((copy) => {
        copy.tables = [];
        copy.targets = [];
      }),
      async (page) => {
        await page.getByText('这次计算没有给出全市的估计值').waitFor();
        assert.deepEqual(await axeFaults(page), []);
      },
    ));

  it('with empty cells and shares of 0 show dashes, not zeros and not holes', () => {
    let without = 0;
    return visit(
      changed((copy) => {
        const { rows } = copy.tables.find((one) => one.id === 'district');
        const [first, second] = rows;
        Object.assign(first, { withheld: undefined, n: 0, estimate: null, se: null, ci: null, deff: null, effective_n: null, verdicts: [] });
        first.not_estimable = { 'zh-CN': '样本中没有这一群体', en: 'nobody of this group in the sample' };
        Object.assign(second, { withheld: undefined, estimate: 0, ci: null, verdicts: [] });
        without = rows.filter((row) => row.ci === null).length;
      }),
      async (page) => {
        await fits(page);
        const cells = await page.locator('section.tables tbody tr:not(.whole)').evaluateAll((rows) =>
          rows.slice(0, 2).map((row) => [...row.children].slice(1, 3).map((cell) => cell.innerText)),
        );
        assert.deepEqual(cells, [['–', '–'], [writing(results)(0), '–']]);
        assert.match(await page.locator('figure h2').first().innerText(), new RegExp(`${without}个没有区间可比`));
      },
    );
  });

  it('say so when they are final and no example', () =>
    visit(
      changed((copy) => {
        copy.status = 'final';
        copy.survey.example = false;
      }),
      async (page) => {
        await ready(page);
        assert.equal(await page.getByText('临时结果').count(), 0);
        assert.equal(await page.getByText('示例数据', { exact: true }).count(), 0);
        assert.ok((await page.getByText('最终结果').count()) > 0);
      },
    ));
});
