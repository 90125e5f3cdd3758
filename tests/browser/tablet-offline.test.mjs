// The tablet away from the network: what was answered stays, whatever happens to browser, page or storage.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Field } from './field.mjs';
import { Tablet } from './tablet.mjs';

let field;
const tablets = [];

async function tablet(options) {
  const one = await new Tablet().power(options);
  tablets.push(one);
  return one;
}

before(async () => {
  field = await Field.open({ cases: 8 });
});
after(async () => {
  for (const one of tablets) await one.close();
  await field?.close();
});

describe('acc001 away from the network', () => {
  it('a cold start opens the app, lists the cases and completes an interview; with the network it uploads by itself', async () => {
    const t = await tablet();
    await t.enrol(field);
    assert.equal(await t.shellReady(), 'activated');
    await t.kill();
    field.line.mode = 'dead';
    field.line.only = /./;
    await t.power();
    await t.open(field);
    await t.unlock();
    await t.at('today').waitFor();
    assert.equal(await t.page.locator('[data-case]').count(), 8);
    await t.interview('000001');
    await t.waitState('000001', 'queued');
    assert.match(await t.at('badge').innerText(), /未上传 1/);
    field.line.mode = 'pass';
    await t.upload();
    await t.waitState('000001', 'verified');
    const [kept] = await field.responses();
    assert.equal(kept.case, '000001');
    assert.equal(kept.state, 'parsed');
    await t.clean();
  });
});
