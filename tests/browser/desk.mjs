// The desk's accounts and signing in. Only the demo has accounts that a test can know.

import { openPage, serverUnderTest, SIZES } from './browser.mjs';

const lines = (process.env.SCILIT_ACCOUNTS ?? '').trim().split('\n').filter(Boolean);
const PASSWORDS = new Map(lines.map((line) => line.split(' ')).map(([, login, password]) => [login, password]));

export const NO_ACCOUNTS = PASSWORDS.size > 0 ? false : 'the desk needs the accounts of the demo (SCILIT_ACCOUNTS)';
export const passwordOf = (login) => PASSWORDS.get(login);

/** A page of the desk with this person at it. `faults` are asserted by the caller. */
export async function sitDown(browser, login, options = {}) {
  const { url } = await serverUnderTest();
  const opened = await openPage(browser, { size: SIZES.desktop, ...options });
  const { page } = opened;
  await page.goto(`${url}/desk/`);
  await page.locator('#login').fill(login);
  await page.locator('#password').fill(passwordOf(login));
  await page.locator('#password').press('Enter');
  await page.locator('[data-test=who]').waitFor();
  await settled(page);
  const go = async (hash) => {
    await page.evaluate((next) => {
      location.hash = next;
    }, `#/${hash}`);
    await settled(page);
  };
  /** The API as this page asks it. */
  const api = (path) => page.evaluate(async (at) => (await fetch(`/api/v1${at}`)).json(), path);
  return { ...opened, go, api };
}

/** Waits until nothing on the page is being read any more. */
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true]') && document.querySelector('main h1') !== null);
}

/** Takes the step of the open dialog. */
export async function takeStep(page, { reason, typed } = {}) {
  const dialog = page.locator('dialog[open]');
  await dialog.waitFor();
  if (reason) await dialog.locator('textarea').fill(reason);
  if (typed) await dialog.locator('input').fill(typed);
  await dialog.locator('[data-test=take]').click();
}
