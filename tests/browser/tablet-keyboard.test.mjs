// A whole interview with nothing but a keyboard: no mouse, no tap, no element that the test puts the focus on. At every stop the
// focus must be seen.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Field } from './field.mjs';
import { PIN, Tablet } from './tablet.mjs';

const STOPS_MAX = 60;
let field;
before(async () => {
  field = await Field.open({ cases: 2 });
});
after(() => field?.close());

/** A surveyor without a pointer. */
class Keys {
  constructor(tablet) {
    Object.assign(this, { tablet, page: tablet.page, stops: 0 });
  }

  press = async (...keys) => {
    for (const key of keys) await this.page.keyboard.press(key);
  };
  type = (text) => this.page.keyboard.type(text, { delay: 5 });

  /** Where the focus is, and whether anybody can see it. */
  async focus() {
    const found = await this.page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const ring = (one) => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2 && style.outlineColor !== 'rgba(0, 0, 0, 0)';
      };
      const box = element.getBoundingClientRect();
      const label = element.closest('label');
      return {
        words: `${element.tagName} ${element.id} ${element.dataset.test ?? ''} ${(element.innerText ?? '').slice(0, 30)}`,
        ring: ring(element) || (label !== null && ring(label)),
        inView: box.bottom > 0 && box.top < innerHeight,
      };
    });
    assert.ok(found, 'the focus is lost: nothing on the page has it');
    assert.ok(found.ring, `nobody sees the focus at ${found.words}`);
    assert.ok(found.inView, `the focus is out of sight at ${found.words}`);
    this.stops += 1;
    return found.words;
  }

  at = (selector) => this.page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector);

  /** Tab after Tab until this has the focus. */
  async to(selector, key = 'Tab') {
    await this.page.locator(selector).first().waitFor();
    await this.focus();
    for (let stops = 0; stops < STOPS_MAX; stops += 1) {
      if (await this.at(selector)) return;
      await this.press(key);
      // Behind the last stop of the page comes the browser's own frame, then the first stop.
      if (!(await this.at('body'))) await this.focus();
    }
    assert.fail(`${selector} is not reached by ${STOPS_MAX} times ${key}`);
  }

  async enter(selector) {
    await this.to(selector);
    await this.press('Enter');
  }

  /** What a screen reader would be told at once: texts of alerts in the accessibility tree. */
  async alerts() {
    this.cdp ??= await this.page.context().newCDPSession(this.page);
    const { nodes } = await this.cdp.send('Accessibility.getFullAXTree');
    const byId = new Map(nodes.map((node) => [node.nodeId, node]));
    const words = (node) => (node.name?.value ? [node.name.value] : (node.childIds ?? []).flatMap((id) => words(byId.get(id) ?? {})));
    const alerts = nodes.filter((node) => !node.ignored && node.role?.value === 'alert');
    for (const node of alerts) assert.equal(node.properties.find((one) => one.name === 'live')?.value.value, 'assertive');
    return alerts.map((node) => words(node).join(' ')).join(' | ');
  }
}

const item = (t) => t.page.locator('[data-item]').getAttribute('data-item');

describe('acc075 without a pointer', () => {
  it('acc075 a whole interview by keyboard only: PIN, case, household, draw, consent, every kind of question, review, finish; errors are announced', async () => {
    const t = await new Tablet().power();
    try {
      const keys = new Keys(t);
      const { page } = t;
      await page.goto(`${field.line.url}/tablet/#${await field.code()}`);
      await page.locator('#pin').waitFor();
      assert.ok(await keys.at('#pin'), 'the code is there, so the PIN is next');
      await keys.type(PIN);
      await keys.to('#again');
      await keys.type('000000');
      await keys.press('Enter');
      await t.at('fault').waitFor();
      assert.match(await keys.alerts(), /两次输入的口令不一致/);
      await keys.press('Control+a');
      await keys.type(PIN);
      await keys.press('Enter');
      await t.at('ready').filter({ hasText: '离线工作' }).waitFor();
      await t.shellReady();

      // Locked and opened again, once with a wrong PIN.
      await keys.enter('[data-test=lock]');
      await t.at('unlock').waitFor();
      assert.ok(await keys.at('#pin'));
      await keys.type('999999');
      await keys.press('Enter');
      await t.at('fault').waitFor();
      assert.match(await keys.alerts(), /口令不正确/);
      assert.ok(await keys.at('#pin'), 'the PIN can be typed again at once');
      await keys.type(PIN);
      await keys.press('Enter');
      await t.at('unlock').waitFor({ state: 'detached' });

      await keys.enter('nav a[href="#/today"]');
      await t.at('today').waitFor();
      await keys.to('#words');
      await keys.type('000002');
      await page.locator('[data-case="000001"]').waitFor({ state: 'detached' });
      await keys.enter('[data-case="000002"]');
      await t.at('case').waitFor();
      await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
      await keys.focus();

      // The work ID, an attempt from the full list, then somebody is there.
      await keys.enter('[data-test=card-shown]');
      await page.waitForFunction(() => document.activeElement?.closest('#card'));
      await keys.enter('[data-test=more]');
      await keys.enter('.stack [data-outcome="2.23"]');
      await page.getByText('接触记录 1 次').waitFor();
      await keys.focus();
      await keys.to('[data-test=somebody]', 'Shift+Tab');
      await keys.press('Enter');
      await page.waitForFunction(() => document.activeElement?.closest('#roster'));

      // A list that is not complete is refused aloud.
      await keys.enter('[data-test=draw]');
      await page.locator('#roster [role=alert]').waitFor();
      assert.match(await keys.alerts(), /请填写每个人的性别和年龄/);
      await keys.to('#sex-0', 'Shift+Tab');
      await keys.press('ArrowDown');
      await keys.to('#age-0');
      await keys.type('44');
      await keys.enter('[data-test=add-member]');
      await page.waitForFunction(() => document.activeElement?.id === 'sex-1');
      await keys.press('ArrowDown', 'ArrowDown');
      await keys.to('#age-1');
      await keys.type('41');
      await keys.enter('[data-test=draw]');
      await t.at('drawn').waitFor();
      await page.waitForFunction(() => document.activeElement?.closest('#drawn'));
      await keys.focus();
      await keys.to('#consent input[type=checkbox]');
      await keys.press('Space');
      await keys.enter('[data-test=agree]');
      await page.waitForFunction(() => document.activeElement?.id === 'begin');
      await keys.focus();
      await keys.press('Enter');
      await t.at('progress').waitFor();
      const kinds = await interview(t, keys);
      assert.deepEqual([...kinds].sort(), ['date', 'matrix', 'multiple_choice', 'number', 'single_choice', 'text', 'true_false']);

      // The review page, a word of the surveyor, finished.
      await t.at('review').waitFor();
      await keys.focus();
      await keys.to('#note');
      await keys.type('全程键盘');
      await keys.enter('[data-test=finish]');
      await t.at('done').waitFor();
      await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
      await keys.focus();
      await keys.enter('nav a[href="#/queue"]');
      await page.locator('[data-row="000002/1"][data-state=verified]').waitFor();

      const [kept] = (await field.responses()).filter((one) => one.case === '000002');
      assert.equal(kept.state, 'parsed');
      const sent = JSON.parse(field.line.seen.findLast((one) => one.method === 'PUT' && one.path.includes('/submissions/')).body);
      const value = (id) => sent.answers.find((one) => one.i === id).v;
      assert.equal(value('sex'), 'female');
      assert.equal(value('age'), 41);
      assert.equal(value('job'), 'works');
      assert.equal(value('channels').length, 2);
      assert.deepEqual(value('views'), { health: 'agree', future: 'disagree' });
      assert.equal(value('comment'), '多办展览\n多讲故事');
      assert.equal(value('visit'), '2025-03-08');
      assert.equal(sent.note, '全程键盘');
      assert.equal(sent.consent.callback, true);
      process.stdout.write(`keyboard only: ${keys.stops} stops of the focus, each seen\n`);
      await t.clean();
    } finally {
      await t.close();
    }
  });
});

const KINDS = { sex: 'single_choice', age: 'number', job: 'single_choice', hours: 'number', channels: 'multiple_choice', views: 'matrix', comment: 'text', visit: 'date' };

/** Every question by keys, with what goes wrong on the way; the kinds that were answered. */
async function interview(t, keys) {
  const kinds = new Set();
  const next = async (from) => {
    await keys.press('Enter');
    await t.page.waitForFunction((id) => document.querySelector('[data-item]')?.getAttribute('data-item') !== id, from);
    await t.saved();
  };
  for (let id = await item(t); ; id = await item(t)) {
    await t.page.waitForFunction((now) => document.activeElement?.id === `text-${now}`, id);
    await keys.focus();
    kinds.add(KINDS[id] ?? 'true_false');
    await answer[id]?.(t, keys);
    if (!answer[id]) await keys.press('1');
    await t.saved();
    // One step back and on again: the answer is there, and the interview is not left.
    if (id === 'channels') {
      await keys.press('Alt+ArrowLeft');
      await t.page.locator('[data-item=hours]').waitFor();
      assert.equal(await t.page.locator('.typed input').inputValue(), '40');
      await next('hours');
    }
    await next(id);
    if ((await t.page.locator('[data-item]').count()) === 0) return kinds;
  }
}

const answer = {
  sex: async (t, keys) => {
    // Nothing chosen: it is said, and the page stays.
    await keys.press('Enter');
    await t.at('why').waitFor();
    assert.match(await keys.alerts(), /请先回答本题/);
    await keys.press('2');
  },
  age: async (t, keys) => {
    // Typed from the heading, it goes into the field; out of range is announced and keeps the page.
    await keys.type('17');
    assert.ok(await keys.at('.typed input'));
    await keys.press('Enter');
    await t.at('fault').waitFor();
    assert.match(await keys.alerts(), /18/);
    assert.equal(await item(t), 'age');
    assert.equal(await t.page.locator('.typed input').getAttribute('aria-invalid'), 'true');
    await keys.press('Control+a');
    await keys.type('41');
  },
  job: async (t, keys) => {
    // 离退休 at 41 makes a soft check speak; the answer is changed by another digit.
    await keys.press('3');
    await t.at('soft').waitFor();
    assert.match(await keys.alerts(), /年龄与离退休不太相符/);
    await keys.press('Enter');
    assert.ok(await keys.at('#confirm-check'), 'a check is not passed by a second Enter unseen');
    await keys.focus();
    await keys.to('input[type=radio]', 'Shift+Tab');
    await keys.press('1');
    await t.at('soft').waitFor({ state: 'detached' });
  },
  hours: async (_, keys) => keys.type('40'),
  channels: async (_, keys) => {
    // Two by their numbers or one by a number and one by Tab and the space bar.
    const { length } = await keys.page.evaluate(() => [...document.querySelectorAll('[data-item] label.option')].map((one) => one.innerText));
    assert.equal(length, 4);
    const none = await keys.page.evaluate(() => [...document.querySelectorAll('[data-item] label.option')].findIndex((one) => one.innerText.includes('没有')));
    const [first, second] = [0, 1, 2, 3].filter((n) => n !== none);
    await keys.press(String(first + 1));
    await keys.page.locator('[data-item] label.option.on').waitFor();
    for (let n = 0; n <= second; n += 1) await keys.press('Tab');
    await keys.focus();
    await keys.press('Space');
    await keys.page.locator('[data-item] label.option.on').nth(1).waitFor();
  },
  views: async (_, keys) => keys.press('1', '3'),
  comment: async (_, keys) => {
    await keys.to('textarea');
    await keys.type('多办展览');
    await keys.press('Enter');
    await keys.type('多讲故事');
    await keys.to('[data-test=next]');
  },
  visit: async (_, keys) => {
    await keys.to('input[type=date]');
    const order = await keys.page.evaluate(() => new Intl.DateTimeFormat().formatToParts(new Date(2025, 2, 8)).map((part) => part.type).filter((type) => type !== 'literal').join());
    await keys.type(order === 'month,day,year' ? '03082025' : '2025');
    if (order !== 'month,day,year') {
      await keys.press('Tab');
      await keys.type('0308');
    }
  },
  // 不知道 has the number after the options.
  K03: async (_, keys) => {
    await keys.press('3');
    await keys.page.locator('[data-missing=dont_know][aria-pressed=true]').waitFor();
  },
  // The pause by keys, and back.
  K05: async (t, keys) => {
    await keys.press('2');
    await keys.to('[data-test=pause]', 'Shift+Tab');
    await keys.press('Enter');
    await t.at('pausing').waitFor();
    await t.page.waitForFunction(() => document.activeElement?.id === 'pause-reason');
    await keys.focus();
    await keys.press('Escape');
    await t.at('pausing').waitFor({ state: 'detached' });
    assert.ok(await keys.at('#pause'));
    await keys.to('[data-test=next]');
  },
};
