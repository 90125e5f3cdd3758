// The weighted responses as Parquet, read by a reader that shares no line with the program that writes it; and the forms on the page.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import { openPage, ready, serverUnderTest, startBrowser } from './browser.mjs';

const { parquetMetadata, parquetReadObjects } = await import('../../web/node_modules/hyparquet/src/index.js');

/** The demo's folder holds the tokens; a server that somebody else started keeps its own. */
const folder = process.env.SCILIT_DEMO_FOLDER;
const options = { skip: folder ? false : 'needs the demo that run.mjs starts: its tokens open the persons\' rows' };

let server;
let token;

before(async () => {
  server = await serverUnderTest();
  if (!folder) return;
  const line = readFileSync(join(folder, 'tokens.txt'), 'utf8').split('\n').find((one) => one.startsWith('auditor'));
  token = line.trim().split(/\s+/).at(-1);
});
after(() => server?.close());

const get = (path) => fetch(`${server.url}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } });

async function file(run, name) {
  const answer = await get(`/runs/${run}/files/${name}?purpose=${encodeURIComponent('核对各种格式')}`);
  assert.equal(answer.status, 200, name);
  return answer.arrayBuffer();
}

describe('the Parquet file', options, () => {
  it('holds the cells of the machine\'s CSV, typed, with Chinese labels', async () => {
    const run = await (await get('/runs/latest')).json();
    const lines = new TextDecoder().decode(await file(run.id, 'responses_weighted.csv')).trimEnd().split('\n');
    const [header, ...rows] = lines.map((line) => line.split(','));
    assert.ok(rows.length > 100 && rows.every((row) => row.length === header.length), 'a plain CSV');
    const bytes = await file(run.id, 'responses_weighted.parquet');
    const metadata = parquetMetadata(bytes);
    const columns = JSON.parse(metadata.key_value_metadata.find((entry) => entry.key === 'scilit.columns').value);
    assert.deepEqual(columns.map((column) => column.name), header);
    assert.equal(columns.find((column) => column.name === 'weight').label['zh-CN'], '最终权数');
    assert.equal(Number(metadata.num_rows), rows.length);
    const cells = await parquetReadObjects({ file: bytes });
    const isNumber = (column) => ['number', 'integer'].includes(column.kind);
    for (const [at, row] of rows.entries()) {
      for (const [place, column] of columns.entries()) {
        const [text, cell] = [row[place], cells[at][column.name]];
        if (text === '') assert.equal(cell ?? null, null, `${at} ${column.name}`);
        else if (isNumber(column)) assert.equal(Number(cell), Number(text), `${at} ${column.name}`);
        else assert.equal(cell, text, `${at} ${column.name}`);
      }
    }
    const sum = cells.reduce((total, row) => total + (row.weight ?? 0), 0);
    const city = (await (await get(`/runs/${run.id}/results`)).json()).tables[0].rows[0];
    assert.ok(Math.abs(sum / city.population - 1) < 1e-9, `${sum} and ${city.population}`);
  });
});

describe('the files on the page', options, () => {
  it('name every form with what it is for, and save one', async () => {
    const chrome = await startBrowser();
    const { page, faults, close } = await openPage(chrome.browser);
    try {
      await page.addInitScript((value) => sessionStorage.setItem('scilit.token', value), token);
      await page.goto(`${server.url}/`);
      await ready(page);
      const section = page.locator('section.files');
      for (const ending of ['.xlsx', '_excel.csv', '.sps', '.do', '.parquet']) {
        await section.getByRole('link', { name: `responses_weighted${ending}`, exact: true }).waitFor();
      }
      assert.ok((await section.innerText()).includes('供 Excel、WPS 查看和制表'));
      await section.getByLabel('用途').fill('核对各种格式');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        section.getByRole('link', { name: 'responses_weighted.xlsx', exact: true }).click(),
      ]);
      assert.equal(download.suggestedFilename(), 'responses_weighted.xlsx');
      assert.equal(readFileSync(await download.path()).subarray(0, 2).toString(), 'PK');
      assert.deepEqual(faults, []);
    } finally {
      await close();
      await chrome.close();
    }
  });
});
