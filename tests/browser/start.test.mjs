// The start page: the same numbers as the API, in both languages and both colour schemes, at every size, by keyboard.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { axeFaults, openPage, ready, serverUnderTest, SIZES, startBrowser, writing } from './browser.mjs';

let server;
let chrome;
let run;
let results;

before(async () => {
  server = await serverUnderTest();
  chrome = await startBrowser();
  const read = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
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
    await page.goto(`${server.url}/`);
    await ready(page);
    await work(page);
    assert.deepEqual(faults, []);
  } finally {
    await close();
  }
}

const share = (value) => writing(results)(value);
/** What everybody reads has ✱ where a cell is withheld. */
const shareOf = (row) => (row.withheld ? '✱' : share(row.estimate));
const interval = (ci) => (ci === null ? '–' : `${share(ci[0])}–${share(ci[1])}`);
const table = (id) => results.tables.find((one) => one.id === id);
const thin = (n) => String(n).replaceAll(/\B(?=(\d{3})+$)/g, '\u202f');

describe('the first sentence', () => {
  it('answers with the share, its interval and every target of the place', async () => {
    await visit({}, async (page) => {
      const sentence = await page.locator('[data-test=headline]').innerText();
      const whole = table('city').rows[0];
      assert.ok(sentence.includes(share(whole.estimate)), sentence);
      assert.ok(sentence.includes(interval(whole.ci)), sentence);
      const words = { met: '达到', not_met: '未达到', undetermined: '无法判定' };
      for (const target of results.targets.filter((one) => one.region === results.survey.region)) {
        assert.ok(sentence.includes(`${Number((target.value * 100).toFixed(2))}%`), sentence);
        assert.ok(sentence.includes(words[whole.verdicts.find((one) => one.target === target.id).verdict]), sentence);
      }
      assert.equal(await page.getByText('示例数据', { exact: true }).count(), results.survey.example ? 1 : 0);
    });
  });
});

describe('a reader finds within two clicks', () => {
  const rowsOf = (page, id) => page.locator(`section.tables tbody tr:not(.whole)`, { hasText: table(id).rows[0].labels[0]['zh-CN'] });

  it('whether the target is reached: with none', async () => {
    await visit({}, async (page) => {
      const chips = await page.locator('section.answer .targets li').allInnerTexts();
      assert.ok(chips.length > 0 && chips.every((text) => /达到|无法判定/.test(text)), chips.join());
    });
  });

  it('which districts differ from the city: with none, in the table that stands there first', async () => {
    await visit({}, async (page) => {
      const whole = table('city').rows[0].estimate;
      const standing = ({ estimate, ci }) => {
        if (estimate === null || ci === null) return null;
        if (ci[0] > whole) return '高于全市';
        return ci[1] < whole ? '低于全市' : '分不出高低';
      };
      const shown = await page.locator('section.tables tbody tr:not(.whole)').allInnerTexts();
      for (const [at, row] of table('district').rows.entries())
        if (standing(row)) assert.ok(shown[at].includes(standing(row)), `${shown[at]}: ${standing(row)}`);
    });
  });

  it('whether one may trust a cell: it says 仅供参考, or why it has no number', async () => {
    await visit({}, async (page) => {
      const rough = (row) => row.estimate !== null && (row.base ? row.caution === true : row.ci === null || !(row.effective_n >= 30) || row.ci[1] - row.ci[0] > 0.3);
      // The table must have both kinds, or nothing would be told apart.
      const first = results.tables.find((one) => one.by.length > 0 && one.rows.some(rough) && !one.rows.every(rough));
      await page.locator('section.tables select').selectOption(first.id);
      await rowsOf(page, first.id).first().waitFor();
      const shown = await page.locator('section.tables tbody tr:not(.whole)').allInnerTexts();
      assert.equal(shown.length, first.rows.length);
      for (const [at, row] of first.rows.entries()) {
        assert.equal(shown[at].includes('仅供参考'), rough(row), shown[at]);
        if (row.not_estimable) assert.ok(shown[at].includes(row.not_estimable['zh-CN']), shown[at]);
      }
    });
  });

  it('whether the gap between 城 and 乡 shrank: with one', async (context) => {
    if (!server.real) return context.skip('the stand-in has one run only');
    await visit({}, async (page) => {
      await page.getByRole('link', { name: '变化', exact: true }).click();
      const finding = page.locator('figure', { hasText: '城乡差距' }).locator('h2');
      assert.match(await finding.innerText(), /差距确有缩小|还不能确认差距有变化|差距确有扩大/);
    });
  });
});

describe('the tables', () => {
  it('show every row of every table with the numbers of the API', async () => {
    await visit({}, async (page) => {
      const section = page.locator('section.tables');
      for (const one of results.tables.filter((candidate) => candidate.by.length > 0)) {
        await section.locator('select').selectOption(one.id);
        const shown = await section.locator('tbody tr:not(.whole)').evaluateAll((rows) =>
          rows.map((row) => [...row.children].map((cell) => cell.innerText.trim())),
        );
        const expected = one.rows.map((row) => [
          ...row.labels.map((label) => label['zh-CN']),
          shareOf(row),
          interval(row.ci),
          row.base ? row.base.replace('-', '–') : row.n === null ? '–' : thin(row.n),
        ]);
        assert.deepEqual(shown.map((cells) => cells.slice(0, one.by.length + 3)), expected, one.id);
      }
    });
  });

  it('of districts by groups show the numbers of the API as a map, and mark what is only a hint', async () => {
    await visit({}, async (page) => {
      const crossing = table('district_by_residence');
      const cells = page.locator('section.heat td');
      const shown = await cells.evaluateAll((all) => all.map((cell) => [cell.querySelector('.value').innerText, cell.classList.contains('rough')]));
      const rough = (row) => row.base ? row.caution === true : row.estimate !== null && (row.ci === null || !(row.effective_n >= 30) || row.ci[1] - row.ci[0] > 0.3);
      assert.deepEqual(shown, crossing.rows.map((row) => [row.estimate === null ? '✱' : share(row.estimate), rough(row)]));
    });
  });

  it('give the reason where there is no estimate', async () => {
    const missing = results.tables.flatMap((one) => one.rows.map((row) => ({ one, row }))).find(({ row }) => row.not_estimable);
    if (!missing) return;
    await visit({}, async (page) => {
      await page.locator('section.tables select').selectOption(missing.one.id);
      await page.locator('section.tables').getByText(missing.row.not_estimable['zh-CN']).first().waitFor();
    });
  });
});

describe('the charts', () => {
  it('carry one figure a table and one for the map, a text with the finding, and the districts by rank', async () => {
    await visit({}, async (page) => {
      const oneWay = results.tables.filter((one) => one.by.length === 1);
      assert.equal(await page.locator('figure').count(), oneWay.length + 1);
      for (const figure of await page.locator('figure').all()) {
        const finding = await figure.locator('h2, h3').innerText();
        const described = await figure.locator('[role=img]').getAttribute('aria-label');
        assert.ok(described.includes(finding), described);
      }
      const names = await page.locator('figure').first().locator('svg text').allTextContents();
      const ranked = table('district').rows.filter((row) => row.estimate !== null).toSorted((a, b) => b.estimate - a.estimate);
      const places = ranked.map((row) => names.indexOf(row.labels[0]['zh-CN']));
      assert.ok(places.every((place) => place >= 0), `every district is named: ${names}`);
      assert.deepEqual(places, places.toSorted((a, b) => a - b));
    });
  });

  it('name every target of the place and the city itself', async () => {
    await visit({}, async (page) => {
      const texts = await page.locator('figure').first().locator('svg text').allTextContents();
      for (const target of results.targets.filter((one) => one.region === results.survey.region))
        assert.ok(texts.includes(target.label['zh-CN']), target.id);
      assert.ok(texts.some((text) => text.includes(share(table('city').rows[0].estimate))));
    });
  });

  it('are saved as numbers and as pictures that stand alone', async () => {
    await visit({ scheme: 'dark' }, async (page) => {
      const figure = page.locator('figure').first();
      const saved = async (name) => {
        const [download] = await Promise.all([page.waitForEvent('download'), figure.getByRole('button', { name }).click()]);
        return readFileSync(await download.path());
      };
      const csv = String(await saved('CSV')).split('\r\n');
      assert.equal(csv.length, table('district').rows.length + 2);
      assert.ok(csv[1].includes(table('district').rows[0].withheld ? '✱' : String(table('district').rows[0].estimate)));
      const svg = String(await saved('SVG'));
      assert.ok(svg.includes(await figure.locator('h2').innerText()), 'the finding stands in the picture');
      assert.ok(!svg.includes('var('), 'colours are written in');
      assert.match(svg, /<rect width="100%" height="100%" fill="#fff(fff)?"/, 'in light colours, also from a dark page');
      const png = await saved('PNG');
      assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from('PNG')]);
      assert.ok(png.length > 20_000, `a picture of ${png.length} bytes is empty`);
    });
  });

  it('tell a row when the pointer rests on it', async () => {
    await visit({}, async (page) => {
      const chart = page.locator('figure').first().locator('svg');
      await chart.scrollIntoViewIfNeeded();
      const box = await chart.boundingBox();
      const points = () => chart.locator("[fill='var(--ink-2)'][stroke], [fill='var(--accent)'][stroke]").count();
      const drawn = await points();
      assert.equal(drawn, table('district').rows.filter((row) => row.ci !== null).length);
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2 - 20);
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.waitForFunction(() => [...document.querySelectorAll('figure svg text')].some((text) => text.textContent.includes('置信区间')));
      assert.equal(await points(), drawn, 'a point lost its colour under the pointer');
    });
  });
});

describe('the files', () => {
  it('are downloaded under their names, byte for byte', async () => {
    await visit({}, async (page) => {
      const name = 'indicator.csv';
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name, exact: true }).click()]);
      assert.equal(download.suggestedFilename(), name);
      const served = await (await fetch(`${server.url}/api/v1/runs/${run.id}/files/${name}`)).text();
      assert.equal(String(readFileSync(await download.path())), served);
      await page.getByText(`已保存${name}`).waitFor();
    });
  });

  it('with persons are refused without a token, and the page says which', async () => {
    const answer = await fetch(`${server.url}/api/v1/runs/${run.id}/files/responses_weighted.csv`);
    assert.ok([401, 403].includes(answer.status), String(answer.status));
    await visit({}, async (page) => {
      await page.locator('li', { hasText: 'responses_weighted.csv' }).getByText('需要访问令牌').waitFor();
      await page.locator('li', { hasText: 'indicator.csv' }).getByText('文件摘要').waitFor();
    });
  });

  it('stand beside links to the API pages and the OpenAPI document, which are there', async (context) => {
    if (!server.real) return context.skip('the stand-in has none');
    for (const path of ['/api/docs/', '/api/v1/openapi.json']) assert.equal((await fetch(server.url + path)).status, 200, path);
  });
});

describe('at every size, language and colour scheme the page', () => {
  for (const [size, language, scheme] of [
    ['tablet', 'zh-CN', 'light'],
    ['tablet', 'en', 'dark'],
    ['landscape', 'zh-CN', 'dark'],
    ['desktop', 'en', 'light'],
    ['desktop', 'zh-CN', 'light'],
    ['phone', 'zh-CN', 'light'],
    ['phone', 'en', 'dark'],
  ]) {
    it(`is accessible and fits: ${size}, ${language}, ${scheme}`, async () => {
      await visit({ size: SIZES[size], language, scheme }, async (page) => {
        await page.locator('summary').first().click();
        assert.deepEqual(await axeFaults(page), []);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wider <= 0, `the page is ${wider} px too wide`);
        assert.equal(await page.evaluate(() => document.documentElement.lang), language);
      });
    });
  }
});

/** Visible texts outside `code` and outside parts marked as another language, as the page shows them. */
const textsOf = (page, other) =>
  page.evaluate((skipped) => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walk.nextNode()) {
      const parent = walk.currentNode.parentElement;
      if (!parent.closest(`code, noscript, [lang='${skipped}']`)) texts.push(walk.currentNode.textContent.trim());
    }
    return texts.filter((text) => text !== '');
  }, other);

describe('the words', () => {
  it('of the Chinese page are Chinese, but for names', async () => {
    await visit({}, async (page) => {
      const names = [/\w+\.(csv|json)/g, /CSV|SVG|PNG|OpenAPI|Korn–Graubard|RR1|PDF/g, results.profile.id, results.questionnaire.id, run.id.slice(0, 12)];
      for (const text of await textsOf(page, 'en')) {
        const rest = names.reduce((left, name) => left.replaceAll(name, ''), text);
        assert.ok(!/[A-Za-z]{2,}/.test(rest), text);
      }
    });
  });

  it('of the English page are English, but for what is marked as Chinese', async () => {
    await visit({ language: 'en' }, async (page) => {
      for (const text of await textsOf(page, 'zh-CN')) assert.ok(!/[\u4e00-\u9fff]/.test(text), text);
    });
  });

  it('change with the switch, by keyboard, and stay after a reload', async () => {
    await visit({}, async (page) => {
      await page.getByRole('radio', { name: '中文' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.getByRole('heading', { name: 'Tables', exact: true }).waitFor();
      assert.ok((await page.title()).endsWith('results'));
      await page.reload();
      await page.getByRole('heading', { name: 'Tables', exact: true }).waitFor();
    });
  });
});

describe('the keyboard', () => {
  it('meets the skip link first, sees where it is, and reaches every action', async () => {
    await visit({}, async (page) => {
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement.textContent), '跳到正文');
      const reached = new Set();
      for (let step = 0; step < 90; step += 1) {
        await page.keyboard.press('Tab');
        const seen = await page.evaluate(() => {
          const active = document.activeElement;
          if (active === document.body) return null;
          const framed = active.matches('input[type=radio]') ? active.closest('label') : active;
          return { name: (active.textContent || active.id || active.value).trim(), outline: getComputedStyle(framed).outlineStyle };
        });
        if (seen === null) break;
        assert.notEqual(seen.outline, 'none', `no visible focus on ${seen.name}`);
        reached.add(seen.name);
      }
      for (const name of ['看数值表', '下载数值（CSV）', '下载图（PNG）', '下载本表（CSV）', 'responses_weighted.csv', '查看已发布的问卷'])
        assert.ok(reached.has(name), `${name} was not reached`);
    });
  });
});

describe('colours and paper', () => {
  it('follow the switch and stay after a reload', async () => {
    await visit({}, async (page) => {
      const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const light = await ground();
      await page.getByText('深色', { exact: true }).click();
      const dark = await ground();
      assert.notEqual(dark, light);
      await page.reload();
      assert.equal(await ground(), dark);
    });
  });

  it('are light in print, without switches and buttons', async () => {
    await visit({ scheme: 'dark' }, async (page) => {
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()), '#17202a');
      assert.equal(await page.locator('header').isVisible(), false);
      assert.equal(await page.getByRole('button').count(), 0);
    });
  });
});

it('the page and all it loads stay under 400 KiB on the way', async () => {
  const { page, close } = await openPage(chrome.browser);
  // The stand-in does not pack; of the real server what came over the line counts.
  const onTheWay = async (response) =>
    server.real ? (await response.request().sizes()).responseBodySize : gzipSync(await response.body()).length;
  const sizes = [];
  page.on('response', (response) => sizes.push(onTheWay(response).catch(() => 0)));
  await page.goto(`${server.url}/`);
  await ready(page);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  await close();
  assert.ok(bytes > 50_000 && bytes < 400 * 1024, `${bytes} bytes`);
});

describe('what everybody reads', () => {
  it('is the release: withheld cells have no number anywhere, and the page says why', async (context) => {
    if (!results.release) return context.skip('the stand-in serves what the office reads');
    const rows = results.tables.flatMap((one) => one.rows);
    const withheld = rows.filter((row) => row.withheld);
    assert.ok(withheld.length > 0 && withheld.length < rows.length);
    assert.ok(withheld.every((row) => row.estimate === null && row.population === null && row.n === null && row.ci === null));
    await visit({}, async (page) => {
      assert.match(await page.locator('[data-test=release]').innerText(), new RegExp(`${results.release.withheld}个`));
      const one = results.tables.find((candidate) => candidate.rows.some((row) => row.withheld));
      await page.locator('section.tables select').selectOption(one.id);
      const reason = one.rows.find((row) => row.withheld).not_estimable['zh-CN'];
      await page.locator('section.tables').getByText(reason).first().waitFor();
    });
  });
});
