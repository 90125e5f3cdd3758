// Chromium, a page that fails on any console error or broken content policy, and the server under test.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The packages live with the front end; the tests live with the other tests.
const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const SIZES = {
  tablet: { width: 800, height: 1280 },
  landscape: { width: 1280, height: 800 },
  desktop: { width: 1440, height: 900 },
  phone: { width: 360, height: 740 },
};

/** The real server that SCILIT_URL names, or the stand-in over the built pages (`run.mjs` decides which). */
export async function serverUnderTest() {
  const named = process.env.SCILIT_URL;
  if (named) return { url: named.replace(/\/$/, ''), real: true, close: () => undefined };
  const { startServer } = await import('../../web/dev/serve.mjs');
  return { ...(await startServer()), real: false };
}

export async function startBrowser() {
  if (!CHROMIUM) throw new Error('no Chromium found: install Debian\'s chromium or name one in CHROMIUM');
  const profile = mkdtempSync(join(tmpdir(), 'scilit-browser-'));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: FLAGS,
    env: { ...process.env, HOME: profile },
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/**
 * A page in a context of its own. `faults` gathers console errors (a forbidden inline style and an untranslated text are told
 * there), uncaught errors and requests to any other host; a failed answer that the test itself arranged is not one.
 */
export async function openPage(browser, { size = SIZES.landscape, scheme = 'light', language, arrange } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, acceptDownloads: true, locale: 'zh-CN' });
  if (language) await context.addInitScript((value) => localStorage.setItem('scilit.language', value), language);
  const page = await context.newPage();
  const faults = [];
  let home = null;
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const arranged = arrange && message.text().startsWith('Failed to load resource') && message.location().url.includes('/api/');
    if (['error', 'warning'].includes(message.type()) && !arranged) faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['http:', 'https:'].includes(url.protocol)) return;
    home ??= url.host;
    if (url.host !== home) faults.push(`request to another host: ${url.host}`);
  });
  if (arrange) await arrange(page);
  return { page, faults, close: () => context.close() };
}

/** Faults of accessibility, as `rule (impact): place` lines. */
export async function axeFaults(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await window.axe.run(document, { runOnly: { type: 'tag', values: tags } });
    return violations.flatMap((v) => v.nodes.map((node) => `${v.id} (${v.impact}): ${node.target.join(' ')} ${node.failureSummary}`));
  });
}

/** Answers the API from the test instead of the server: `answers` maps a path ending to `[status, body]`. */
export const answering = (answers) => async (page) => {
  await page.route('**/api/v1/**', async (route) => {
    const path = new URL(route.request().url()).pathname;
    const found = Object.entries(answers).find(([ending]) => path.endsWith(ending));
    if (!found) return route.fallback();
    const [status, body] = typeof found[1] === 'function' ? found[1]() : found[1];
    return route.fulfill({
      status,
      contentType: status < 400 ? 'application/json' : 'application/problem+json',
      headers: { 'X-Survey-Api': '1' },
      body: JSON.stringify(body),
    });
  });
};

/** The results that the server under test shows first. */
export async function shownResults({ url }) {
  const read = async (path) => (await fetch(`${url}/api/v1${path}`)).json();
  return read(`/runs/${(await read('/runs/latest')).id}/results`);
}

export async function ready(page) {
  await page.locator('[data-test=headline]').waitFor();
  await page.locator('figure svg text').first().waitFor();
}

/** Shares as a page writes them: with two decimals, or with as many as were released (of results or of a series). */
export function writing(document) {
  const decimals = document?.percent_decimals ?? document?.release?.percent_decimals ?? 2;
  return (value) => (value === null ? '–' : `${(value * 100).toFixed(decimals)}%`);
}
