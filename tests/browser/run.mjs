// Runs the browser tests:
//   against the server that SCILIT_URL names, if it is set;
//   with --stand-in, against the built pages and a made-up run (no Rust needed);
//   else against `scilit demo`, started here on a free port in a temporary folder and ended afterwards.
// The tablet is tried with a server on SQLite and once more on PostgreSQL, which must be there where CI is set.
// SCILIT_BIN names another binary than target/debug/scilit. File names among the arguments select tests.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programs } from './postgres.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BINARY = process.env.SCILIT_BIN ?? join(HERE, '../../target/debug/scilit');
const DEMO_MS_MAX = 300_000;
/** The tablet's speed is its own and no database's. */
const ON_BOTH = readdirSync(HERE).filter((name) => /^tablet-.*\.test\.mjs$/.test(name) && name !== 'tablet-speed.test.mjs');

const args = process.argv.slice(2);
const standIn = args.includes('--stand-in');
const picked = args.filter((arg) => !arg.startsWith('--'));

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

async function isReady(url) {
  try {
    const answer = await fetch(`${url}/api/v1/runs/latest`);
    return answer.ok && (await answer.json()).state === 'succeeded';
  } catch {
    return false;
  }
}

/** Starts the demo and waits until its run has results. */
async function startDemo() {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: build it (cargo build), name one in SCILIT_BIN, or use --stand-in`);
  const folder = mkdtempSync(join(tmpdir(), 'scilit-demo-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const demo = spawn(BINARY, ['demo', '--dir', folder, '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (data) => said.push(String(data)));
  const stop = async () => {
    if (demo.exitCode === null) {
      demo.kill('SIGTERM');
      await Promise.race([once(demo, 'exit'), new Promise((resolve) => setTimeout(resolve, 5000))]);
      if (demo.exitCode === null) demo.kill('SIGKILL');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const end = Date.now() + DEMO_MS_MAX;
  // The demo plays several waves: its last words come after the newest has results.
  while (!(said.join('').includes(`${url}/`) && (await isReady(url)))) {
    if (demo.exitCode !== null || Date.now() > end) {
      await stop();
      throw new Error(`the demo gave no results:\n${said.join('')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return { url, folder, stop, accounts: readFileSync(join(folder, 'accounts.txt'), 'utf8') };
}

async function test(files, env) {
  const tests = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files], { stdio: 'inherit', env });
  const [code] = await once(tests, 'exit');
  return code ?? 1;
}

function mayTryPostgres() {
  if (process.env.SCILIT_BROWSER_DATABASE) return false;
  if (programs()) return true;
  if (process.env.CI) throw new Error('where CI is set PostgreSQL must be there');
  process.stdout.write('no PostgreSQL on this machine: the tablet was tried on SQLite only\n');
  return false;
}

async function main() {
  const files = (picked.length > 0 ? picked : readdirSync(HERE).filter((name) => name.endsWith('.test.mjs')))
    .toSorted()
    .map((name) => join(HERE, name));
  const env = { ...process.env };
  let stop = async () => undefined;
  delete env.SCILIT_DEMO_FOLDER;
  if (standIn) delete env.SCILIT_URL;
  else if (!env.SCILIT_URL) {
    const demo = await startDemo();
    env.SCILIT_URL = demo.url;
    // One line an account of the demo: role, login, password.
    env.SCILIT_ACCOUNTS = demo.accounts;
    env.SCILIT_DEMO_FOLDER = demo.folder;
    stop = demo.stop;
  }
  process.stdout.write(`browser tests against ${env.SCILIT_URL ?? 'the stand-in'}\n`);
  try {
    process.exitCode = await test(files, env);
    const again = files.filter((file) => ON_BOTH.includes(basename(file)));
    if (!standIn && again.length > 0 && mayTryPostgres()) {
      process.stdout.write('the tablet once more, the server on PostgreSQL\n');
      process.exitCode ||= await test(again, { ...env, SCILIT_BROWSER_DATABASE: 'postgres' });
    }
  } finally {
    await stop();
  }
}

await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
