// A tablet: Chromium with a profile folder of its own that outlives the process, and the taps of a surveyor.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axeFaults, SIZES } from './browser.mjs';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));
export const PIN = '314159';
const FLAGS = ['--no-sandbox', '--headless=new', '--disable-gpu', '--disable-quic', '--no-first-run', '--no-default-browser-check', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--lang=zh-CN', '--remote-debugging-port=0'];

export class Tablet {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'scilit-tablet-'));
    this.faults = [];
  }

  /** One that is on, enrolled with this field's next code, and has the program stored. */
  static async joined(field, { code, prepare = async () => undefined } = {}) {
    const t = await new Tablet().power();
    try {
      await prepare(t.page);
      await t.enrol(field, { code });
      await t.shellReady();
      return t;
    } catch (error) {
      await t.close();
      throw error;
    }
  }

  /** Starts the browser on this tablet's own folder. */
  async power({ size = SIZES.tablet, gps = true } = {}) {
    this.child = spawn(CHROMIUM, [...FLAGS, `--user-data-dir=${this.folder}/profile`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: { ...process.env, HOME: this.folder } });
    const address = await new Promise((resolve, reject) => {
      let said = '';
      this.child.stderr.on('data', (data) => {
        said += data;
        const found = /DevTools listening on (ws:\S+)/.exec(said);
        if (found) resolve(found[1]);
      });
      this.child.once('exit', () => reject(new Error(`Chromium ended: ${said}`)));
    });
    this.browser = await chromium.connectOverCDP(address);
    this.context = this.browser.contexts()[0];
    if (gps) {
      await this.context.grantPermissions(['geolocation']);
      await this.context.setGeolocation({ latitude: 45.75, longitude: 126.65, accuracy: 12 });
    }
    this.size = size;
    this.page = await this.tab();
    return this;
  }

  async tab() {
    const page = await this.context.newPage();
    page.setDefaultTimeout(30_000);
    await page.setViewportSize(this.size);
    page.on('pageerror', (error) => this.faults.push(`error: ${error.message}`));
    page.on('console', (message) => {
      // The line is cut on purpose; that a request then fails is no fault of the program.
      if (message.text().startsWith('Failed to load resource') && message.location().url.includes('/api/')) return;
      if (['error', 'warning'].includes(message.type())) this.faults.push(`${message.type()}: ${message.text()}`);
    });
    return page;
  }

  /** Kills the browser as a full battery drain would: no event, no goodbye. */
  async kill() {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    process.kill(-this.child.pid, 'SIGKILL');
    await gone;
    await this.browser.close().catch(() => undefined);
    rmSync(join(this.folder, 'profile/SingletonLock'), { force: true });
  }

  async close() {
    if (this.child?.exitCode === null && this.child.signalCode === null) await this.kill();
    for (let tries = 0; tries < 5; tries += 1) {
      try {
        rmSync(this.folder, { recursive: true, force: true });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  // --- taps ----------------------------------------------------------------------------------------------------

  at = (name) => this.page.locator(`[data-test=${name}]`);

  async enrol(field, { code = null, pin = PIN } = {}) {
    const { page } = this;
    await page.goto(`${field.line.url}/tablet/#${code ?? (await field.code())}`);
    await page.locator('#pin').fill(pin);
    await page.locator('#again').fill(pin);
    await this.at('enrol').click();
    await this.at('ready').filter({ hasText: /离线工作|work offline/ }).waitFor();
  }

  async open(field, path = '') {
    await this.page.goto(`${field.line.url}/tablet/${path}`);
  }

  async unlock(pin = PIN) {
    await this.page.locator('#pin').fill(pin);
    await this.at('unlock').click();
    await this.page.locator('[data-test=unlock]').waitFor({ state: 'detached' });
  }

  go = (screen) => this.page.evaluate((to) => (location.hash = `/${to}`), screen);

  async openCase(number) {
    const line = this.page.locator(`[data-case="${number}"]`);
    // On a busy machine the page may still be on its way to the screen that it opens with.
    for (let tries = 0; tries < 10 && !(await line.isVisible()); tries += 1) {
      await this.go('today');
      await line.waitFor({ timeout: 3000 }).catch(() => {});
    }
    await line.click();
    await this.at('case').waitFor();
  }

  /** Roster, draw and consent, up to the first question. */
  async admit(members = [['male', 44], ['female', 41], ['female', 12]]) {
    const { page } = this;
    for (const [n, [sex, age]] of members.entries()) {
      if (n > 0) await this.at('add-member').click();
      await page.locator(`#sex-${n}`).selectOption(sex);
      await page.locator(`#age-${n}`).fill(String(age));
    }
    await this.at('draw').click();
    await this.at('drawn').waitFor();
    await this.at('agree').click();
    await this.at('begin').click();
    await this.at('progress').waitFor();
  }

  item = () => this.page.locator('[data-item]').getAttribute('data-item');

  /** Answers the question on the screen in one way or another, by what it is. */
  async answer(given = {}) {
    const { page } = this;
    const id = await this.item();
    const value = given[id] ?? { age: '44', hours: '40', comment: '多办展览', visit: '2025-03-08' }[id];
    const question = page.locator(`[data-item="${id}"]`);
    if (value === 'dont_know' || value === 'refused') await question.locator(`[data-missing=${value}]`).click();
    else if (id === 'views') for (const row of await question.locator('.matrix-row').all()) await row.locator('label').first().click();
    else if (['age', 'hours', 'comment', 'visit'].includes(id)) await question.locator('input, textarea').first().fill(value);
    else {
      const option = question.locator('label.option').nth(Number(value ?? 0));
      // A second tap on a box would take the answer away.
      if (!(await option.evaluate((label) => label.classList.contains('on')))) await option.click();
    }
    return id;
  }

  /** Answers whatever question of any questionnaire is on the screen with the first that can be chosen, or a plain word or number. */
  async answerAny() {
    const { page } = this;
    const id = await this.item();
    const question = page.locator(`[data-item="${id}"]`);
    if ((await question.locator('.typed').count()) > 0) await question.locator('.typed input, .typed textarea').fill((await question.locator('input[type=date]').count()) > 0 ? '2025-03-08' : '44');
    else if ((await question.locator('.matrix-row').count()) > 0) for (const row of await question.locator('.matrix-row').all()) await row.locator('label').first().click();
    else await question.locator('label.option').first().click();
    return id;
  }

  /** Until the screen says that everything is on the disk. */
  saved = () => this.page.locator('[data-test=saved][data-writing=false]').waitFor();

  async next(from) {
    await this.at('next').click();
    await this.page.waitForFunction((id) => document.querySelector('[data-item]')?.getAttribute('data-item') !== id, from);
  }

  /** Answers question after question, up to a number of them or to the review page; the ids in the order shown. */
  async talk(count = Number.POSITIVE_INFINITY, given = {}) {
    const shown = [];
    while (shown.length < count && (await this.page.locator('[data-item]').count()) > 0) {
      const id = await this.answer(given);
      shown.push(id);
      await this.page.waitForTimeout(['age', 'hours', 'comment', 'visit'].includes(id) && shown.length >= count ? 400 : 0);
      await this.saved();
      if (shown.length < count) await this.next(id);
    }
    return shown;
  }

  async finish() {
    await this.at('review').waitFor();
    await this.at('finish').click();
    await this.at('done').waitFor();
  }

  async interview(number, given) {
    await this.openCase(number);
    await this.admit();
    await this.talk(undefined, given);
    await this.finish();
  }

  row = (number, rev = 1) => this.page.locator(`[data-row="${number}/${rev}"]`);

  async waitState(number, state, rev = 1) {
    await this.go('queue');
    await this.page.locator(`[data-row="${number}/${rev}"][data-state=${state}]`).waitFor().catch(async (error) => {
      throw new Error(`${number} is not ${state}: ${await this.page.locator('main').innerText()}`, { cause: error });
    });
  }

  upload = () => this.at('upload').click();

  /** The page's clock goes forward by so long, and somebody touches the screen: nothing is locked. */
  later = (ms) =>
    this.page.evaluate((more) => {
      const real = Date.now.bind(Date);
      Date.now = () => real() + more;
      document.dispatchEvent(new Event('pointerdown'));
    }, ms);

  /** Asks the server once and waits for the end of it. */
  async meet() {
    await this.go('queue');
    await this.upload();
    await this.page.locator('[data-test=upload]:enabled').waitFor();
  }

  /** Locks the tablet and opens it again. */
  async lockAndOpen() {
    await this.at('lock').click();
    await this.at('unlock').waitFor();
    await this.unlock();
  }

  /** Until the program is in its own cache and this page runs from it. */
  shellReady = () => this.page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');

  async clean() {
    assert.deepEqual(this.faults, []);
  }

  axe = () => axeFaults(this.page);

  async picture(name) {
    await this.page.screenshot({ path: new URL(`../../web/test-results/tablet-${name}.png`, import.meta.url).pathname, fullPage: true });
  }

  /** A screen that comes up once in a story, standing and lying. */
  async pictures(name) {
    await this.picture(`portrait-${name}`);
    await this.page.setViewportSize(SIZES.landscape);
    await this.picture(`landscape-${name}`);
    assert.equal(await this.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false, `${name} is wider than the screen`);
    await this.page.setViewportSize(this.size);
  }
}

export const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
