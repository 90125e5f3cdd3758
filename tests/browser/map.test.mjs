// The districts as a map: a tile each, or their own shapes once somebody supplied them; the same numbers as the API either way.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { NO_ACCOUNTS, sitDown } from './desk.mjs';
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
const figure = (page) => page.locator('figure', { has: page.locator('[data-test=map]') });
const districts = (of = results) => of.tables.find((one) => one.id === 'district').rows;
const shareOf = (row) => (row.withheld ? '✱' : writing(results)(row.estimate));
const SHARE = /^(✱|–|\d+\.\d+%)$/;
const texts = async (page) => figure(page).locator('svg text').allTextContents();

async function visit(work, options = {}) {
  const { page, faults, close } = await openPage(chrome.browser, options);
  try {
    await page.goto(`${server.url}/`);
    await ready(page);
    await figure(page).locator('svg text').first().waitFor();
    await work(page);
    assert.deepEqual(faults, []);
  } finally {
    await close();
  }
}

/** The districts of the run, as many as wanted, under names of their own. */
function many(count) {
  const copy = structuredClone(results);
  const rows = districts(copy);
  const full = rows.find((row) => row.estimate !== null);
  const made = Array.from({ length: count }, (_, place) => ({
    ...structuredClone(place % 9 === 4 ? (rows.find((row) => row.estimate === null) ?? full) : full),
    domain: { district: String(300100 + place) },
    labels: [{ 'zh-CN': place % 5 === 0 ? `莫力达瓦达斡尔族自治旗第${place}` : `区${place}`, en: `Autonomous Banner ${place}` }],
  }));
  copy.tables.find((one) => one.id === 'district').rows = made;
  return copy;
}

/** No text leaves its tile's row, none stands over another, and nothing leaves the chart. */
async function fits(page) {
  const { cut, piled } = await figure(page).locator('svg').evaluate((svg) => {
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll('text')].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    const deep = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 6;
    return {
      cut: boxes.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1).map(({ text }) => text),
      piled: boxes.flatMap((one, place) => boxes.slice(place + 1).filter((other) => deep(one.box, other.box)).map((other) => `${one.text} / ${other.text}`)),
    };
  });
  assert.deepEqual({ cut, piled }, { cut: [], piled: [] });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)) <= 0);
}

describe('the tiles', () => {
  it('show every district with the number of the API, and the table below the same', () =>
    visit(async (page) => {
      const shown = await texts(page);
      assert.deepEqual(shown.filter((text) => SHARE.test(text)), districts().map(shareOf));
      for (const row of districts()) assert.ok(shown.includes(row.labels[0]['zh-CN']), row.labels[0]['zh-CN']);
      await figure(page).locator('summary').click();
      const cells = await figure(page).locator('td[data-column=estimate]').allTextContents();
      assert.deepEqual(cells, districts().map(shareOf));
      assert.deepEqual(await axeFaults(page), []);
      await fits(page);
    }, { size: SIZES.desktop }));

  it('tell what is withheld and what is only a hint in words', () =>
    visit(async (page) => {
      const shown = await texts(page);
      const count = (word) => shown.filter((text) => text === word).length;
      const rough = (row) => row.estimate !== null && (row.base ? row.caution === true : row.ci === null || !(row.effective_n >= 30) || row.ci[1] - row.ci[0] > 0.3);
      assert.equal(count('不公布'), districts().filter((row) => row.withheld).length);
      assert.equal(count('仅供参考'), districts().filter(rough).length);
    }));

  it('tell a district when the pointer rests on it', () =>
    visit(async (page) => {
      const chart = figure(page).locator('svg');
      await chart.scrollIntoViewIfNeeded();
      const box = await chart.boundingBox();
      await page.mouse.move(box.x + 30, box.y + 30);
      await page.mouse.move(box.x + 34, box.y + 34);
      const first = districts()[0];
      const told = first.ci ? '置信区间' : (first.not_estimable?.['zh-CN'] ?? '');
      await page.waitForFunction((words) => [...document.querySelectorAll('[data-test=map] svg text')].some((text) => text.textContent.includes(words)), told);
    }));

  it('are saved as a picture that stands alone, in light colours also from a dark page', () =>
    visit(async (page) => {
      const [download] = await Promise.all([page.waitForEvent('download'), figure(page).getByRole('button', { name: 'SVG' }).click()]);
      const svg = String(readFileSync(await download.path()));
      assert.ok(!svg.includes('var('), 'colours are written in');
      assert.ok(svg.includes('#aec5df') && !svg.includes('#3e5672'), 'the shades of the light page');
      assert.ok(svg.includes(shareOf(districts()[0])));
    }, { scheme: 'dark' }));

  for (const [size, language, scheme] of [['desktop', 'zh-CN', 'light'], ['tablet', 'zh-CN', 'dark'], ['tablet', 'en', 'light'], ['phone', 'zh-CN', 'light']])
    it(`of 120 districts fit the page: ${size}, ${language}, ${scheme}`, () =>
      visit(
        async (page) => {
          assert.equal((await texts(page)).filter((text) => SHARE.test(text)).length, 120);
          await fits(page);
        },
        { size: SIZES[size], language, scheme, arrange: answering({ '/runs/latest': [200, RUN], '/results': [200, many(120)] }) },
      ));
});

/** A square a district, in rows, as somebody might supply them. */
function squares(rows, more = {}) {
  const features = rows.map((row, place) => {
    const [west, south] = [126 + (place % 5), 44 + Math.floor(place / 5)];
    const ring = [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1], [west, south]];
    return { type: 'Feature', properties: { region: row.domain.district }, geometry: { type: 'MultiPolygon', coordinates: [[ring]] } };
  });
  return { type: 'FeatureCollection', features, ...more };
}

const withMap = (map) => answering({ '/runs/latest': [200, RUN], '/results': [200, results], '/map': [200, map] });
const closedPaths = (page) => figure(page).locator("svg path[stroke='var(--ink-2)']").count();

describe('a map that somebody supplied', () => {
  for (const [size, language, scheme] of [['desktop', 'zh-CN', 'light'], ['tablet', 'en', 'dark']])
    it(`draws each district once with its number where it fits: ${size}, ${language}, ${scheme}`, () =>
      visit(
        async (page) => {
          assert.equal(await closedPaths(page), districts().length);
          const shown = (await texts(page)).filter((text) => SHARE.test(text));
          if (language === 'zh-CN') assert.deepEqual(shown, districts().map(shareOf));
          else assert.ok(shown.length > 0);
          await fits(page);
          await figure(page).locator('summary').click();
          assert.deepEqual(await axeFaults(page), []);
        },
        { size: SIZES[size], language, scheme, arrange: withMap(squares(districts())) },
      ));

  for (const size of ['desktop', 'tablet', 'phone'])
    it(`of 120 districts cuts names and never a number: ${size}`, () => {
      const all = many(120);
      const map = squares(districts(all));
      return visit(
        async (page) => {
          assert.equal(await closedPaths(page), 120);
          await fits(page);
          const numbers = (await texts(page)).filter((text) => /^[\d✱–]/.test(text) && !text.includes('起'));
          assert.deepEqual(numbers.filter((text) => !SHARE.test(text)), []);
        },
        { size: SIZES[size], arrange: answering({ '/runs/latest': [200, RUN], '/results': [200, all], '/map': [200, map] }) },
      );
    });

  it('says in words which districts it lacks, whose it is, and that it has no 审图号', () =>
    visit(
      async (page) => {
        const last = districts().at(-1).labels[0]['zh-CN'];
        assert.equal(await closedPaths(page), districts().length - 1);
        await figure(page).getByText(`地图上没有${last}的边界`).waitFor();
        await figure(page).getByText('地图来源：某部门').waitFor();
        await figure(page).getByText('这份地图没有审图号，仅供内部使用。').waitFor();
      },
      { arrange: withMap(squares(districts().slice(0, -1), { source: '某部门' })) },
    ));

  it('comes in through the desk, checked first, and is then drawn with the results', { skip: NO_ACCOUNTS }, async () => {
    const { page, faults, go, api, close } = await sitDown(chrome.browser, 'demo-analyst', { arrange: () => undefined });
    const run = await api('/runs/latest');
    await go(`setup/${run.survey}`);
    const panel = page.locator('[data-test=file-map]');
    const upload = (name, map) => panel.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/geo+json', buffer: Buffer.from(JSON.stringify(map)) });
    const wrong = squares(districts());
    wrong.features[1].properties.region = '110101';
    await upload('错误.geojson', wrong);
    const told = panel.locator('[data-test=fault] tbody');
    await told.getByText('第 2 个要素').waitFor();
    assert.deepEqual(await told.locator('code').allTextContents(), ['/features/1/properties/region']);
    assert.deepEqual(await axeFaults(page), []);
    assert.equal((await api(`/surveys/${run.survey}`)).map, null, 'a check changes nothing');
    await upload('地图.geojson', squares(districts(), { review_number: '黑S(2025)1号' }));
    await panel.locator('[data-test=checked]').getByText(`有边界的区、县（市）${districts().length} 个`).waitFor();
    await panel.getByRole('button', { name: '导入', exact: true }).click();
    await panel.getByText('已导入，现用第 1 版。').waitFor();
    assert.equal((await api(`/surveys/${run.survey}`)).map.version, 1);
    assert.deepEqual(faults, []);
    await close();
    await visit(async (start) => {
      assert.equal(await closedPaths(start), districts().length);
      await figure(start).getByText('审图号：黑S(2025)1号').waitFor();
    });
  });
});
