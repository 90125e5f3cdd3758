// An interview in a further language: Mongolian in Cyrillic and in its traditional script, which runs from above.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { SIZES } from './browser.mjs';
import { Field } from './field.mjs';
import { Tablet } from './tablet.mjs';

const QUESTIONNAIRE = readFileSync(new URL('fixtures/tablet-mongolian.toml', import.meta.url), 'utf8');
/** The words of the fixture by language, as they stand for 一. */
const ONE = { mn: 'нэг', 'mn-Mong': 'ᠨᠢᠭᠡ', 'zh-CN': '一' };
let field;
let t;

before(async () => {
  field = await Field.open({ cases: 2, questionnaire: QUESTIONNAIRE });
  t = await Tablet.joined(field);
});
after(async () => {
  await t?.close();
  await field?.close();
});

/** What stands where it should not: wider than its place, beyond the screen, or in a language that it is not marked as. */
const faults = (tag) =>
  t.page.evaluate((language) => {
    const name = (element) => `${element.tagName} ${(element.textContent ?? '').slice(0, 20)}`;
    const words = [...document.querySelectorAll('[data-item] [lang]')];
    const notes = (element) => element.closest('.note') !== null;
    const wrong = words.filter((element) => !notes(element) && element.lang !== language).map((element) => `marked ${element.lang}: ${name(element)}`);
    const width = document.documentElement.clientWidth;
    const out = words.filter((element) => element.getBoundingClientRect().right > width + 1 || element.getBoundingClientRect().left < 0).map((element) => `out of sight: ${name(element)}`);
    const spilt = [...document.querySelectorAll('.option')].filter((element) => element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1).map((element) => `spilt: ${name(element)}`);
    const wide = document.documentElement.scrollWidth > width ? ['the page is wider than the screen'] : [];
    return [...wrong, ...out, ...spilt, ...wide, ...(words.length < 1 ? ['no words'] : [])];
  }, tag);

async function look(tag, item) {
  for (const [size, box] of Object.entries({ portrait: SIZES.tablet, landscape: SIZES.landscape })) {
    await t.page.setViewportSize(box);
    await t.page.waitForTimeout(60);
    await t.picture(`${size}-language-${tag}-${item}`);
    assert.deepEqual(await faults(tag), [], `${tag} ${item} ${size}`);
  }
  await t.page.setViewportSize(SIZES.tablet);
  assert.deepEqual(await t.axe(), [], `${tag} ${item}`);
}

const column = () => t.page.evaluate(() => getComputedStyle(document.querySelector('h1.aloud [lang]')).writingMode);

describe('a questionnaire in a further language', () => {
  for (const [n, tag] of ['mn', 'mn-Mong'].entries())
    it(`is chosen by its own name and asked in ${tag}, also after the page came back, and the answers are the same codes`, async () => {
      await t.openCase(field.cases[n]);
      await t.admit();
      const choices = await t.at('language').locator('option').allInnerTexts();
      assert.deepEqual(choices, ['中文', 'монгол', 'ᠮᠣᠩᠭᠣᠯ']);
      await t.at('language').selectOption(tag);
      await t.saved();
      await t.page.reload();
      await t.unlock();
      await t.at('progress').waitFor();
      assert.equal(await t.at('language').inputValue(), tag, 'it goes on in the language it was begun in');
      const shown = [];
      while ((await t.page.locator('[data-item]').count()) > 0) {
        const id = await t.item();
        shown.push(id);
        assert.equal(await column(), tag === 'mn-Mong' ? 'vertical-lr' : 'horizontal-tb');
        await look(tag, id);
        await t.answerAny();
        await t.page.waitForTimeout(400);
        await t.saved();
        await t.next(id);
      }
      assert.deepEqual([...shown].sort(), ['K01', 'age', 'comment', 'many', 'views', 'yes']);
      await t.finish();
      await t.waitState(field.cases[n], 'verified');
      const [kept] = (await field.responses()).filter((one) => one.case === field.cases[n]);
      assert.equal(kept.state, 'parsed');
      const { answers } = await field.response(kept.id);
      const text = JSON.stringify(answers);
      assert.ok(text.includes('"yes"') && text.includes('"one"'), text);
      for (const word of Object.values(ONE)) assert.ok(!text.includes(word), 'codes, whatever was read out');
      await t.clean();
    });
});
