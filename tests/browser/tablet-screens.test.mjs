// Every screen of the tablet at both sizes: looked at by axe, by size of targets and text, in both languages, and as pictures.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Field } from './field.mjs';
import { SIZES } from './browser.mjs';
import { Tablet } from './tablet.mjs';

let field;
before(async () => {
  field = await Field.open({ cases: 6 });
});
after(() => field?.close());

/** Targets that are smaller than a thumb, and texts that are cut off. */
const measure = (page, least) =>
  page.evaluate((min) => {
    const name = (element) => `${element.tagName}.${element.className} ${(element.innerText ?? element.id).slice(0, 20)}`;
    const visible = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
    const target = (element) => (element.matches('input[type=radio], input[type=checkbox]') ? (element.closest('label') ?? element) : element);
    const small = [...document.querySelectorAll('button, a, input, select, textarea, summary')].filter(visible).map(target).filter((element) => {
      const box = element.getBoundingClientRect();
      return box.height < min - 0.5 || box.width < min - 0.5;
    });
    const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['the page is wider than the screen'] : [];
    const cut = [...document.querySelectorAll('button, a, h1, h2, label, p, span')].filter(visible).filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflow !== 'visible' && !element.closest('.only-read-aloud'));
    return [...small.map((element) => `small: ${name(element)}`), ...wide, ...cut.map((element) => `cut: ${name(element)}`)];
  }, least);

/** One look at what is on the screen now; in 大字版 thumbs are given more room. */
async function look(t, name, size) {
  const least = (await t.page.evaluate(() => document.documentElement.classList.contains('large'))) ? 60 : 44;
  await t.page.waitForTimeout(60);
  await t.picture(`${size}-${name}`);
  // Gathered, so that one run tells everything.
  for (const fault of [...(await t.axe()), ...(await measure(t.page, least))]) t.faults.push(`${name}: ${fault}`);
}

async function walk(t, size, shots) {
  const see = (name) => look(t, name, `${size}${shots}`);
  await t.open(field, `#${await field.code()}`);
  await t.at('enrol').waitFor();
  await see('enrol');
  await t.enrol(field);
  await see('ready');
  await t.go('today');
  await t.page.locator('[data-case]').first().waitFor();
  await see('today');
  await t.page.locator('[data-case]').first().click();
  await t.at('case').waitFor();
  await see('case');
  await t.at('card-shown').click();
  await t.page.locator('[data-outcome="2.24"]').click();
  await t.at('more').click();
  await see('contact');
  await t.at('more').click();
  await t.admit();
  await see('question-choice');
  for (let seen = ''; (await t.page.locator('[data-item]').count()) > 0; ) {
    const id = await t.answer();
    if (['age', 'channels', 'views', 'comment', 'K01', 'visit'].includes(id) && seen !== id) await see(`question-${id}`);
    seen = id;
    if (id === 'K05') {
      await t.at('pause').click();
      await see('pause');
      await t.at('pause').click();
    }
    await t.next(id);
  }
  await see('review');
  await t.finish();
  await see('done');
  await t.waitState("000001", "verified").catch(() => undefined);
  for (const screen of ['queue', 'inbox', 'end', 'card']) {
    await t.go(screen);
    await t.page.waitForTimeout(400);
    await see(screen);
  }
  await t.at('lock').click();
  await t.at('unlock').waitFor();
  await see('lock');
}

describe('acc075 every screen', () => {
  for (const [size, viewport] of Object.entries({ portrait: SIZES.tablet, landscape: SIZES.landscape })) {
    it(`acc075 acc076 in Chinese at ${viewport.width} × ${viewport.height}: axe, targets, text, no word of another language`, async () => {
      const t = await new Tablet().power({ size: viewport });
      try {
        await walk(t, size, '');
        await t.clean();
      } finally {
        await t.close();
      }
    });
  }

  for (const [size, viewport] of Object.entries({ portrait: SIZES.tablet, landscape: SIZES.landscape })) {
    it(`acc075 with text of 30 px at ${viewport.width} × ${viewport.height} nothing is cut off and every target has 60 px`, async () => {
      const t = await new Tablet().power({ size: viewport });
      try {
        await t.open(field);
        await t.page.evaluate(() => localStorage.setItem('scilit.tablet.size', '30'));
        await t.page.reload();
        await walk(t, size, '-large');
        assert.equal(await t.page.evaluate(() => getComputedStyle(document.documentElement).fontSize), '30px');
        await t.clean();
      } finally {
        await t.close();
      }
    });
  }

  it('acc076 in English no text is missing', async () => {
    const t = await new Tablet().power({ size: SIZES.landscape });
    try {
      await t.open(field);
      await t.page.evaluate(() => localStorage.setItem('scilit.language', 'en'));
      await t.page.reload();
      await walk(t, 'landscape', '-en');
      await t.clean();
    } finally {
      await t.close();
    }
  });
});
