// A survey in the field for the tablet's tests: the real server on a database of its own, people, a questionnaire, cases, and a
// line between tablet and server that can be cut, slowed or taken over by a login page.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { newDatabase } from './postgres.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BINARY = process.env.SCILIT_BIN ?? join(HERE, '../../target/debug/scilit');
/** Which database the real server of these tests keeps its data in. */
export const ON_POSTGRES = onPostgres();
const PASSWORD = 'correct horse battery';
export const QUESTIONNAIRE = readFileSync(join(HERE, 'fixtures/tablet-test.toml'), 'utf8');

const PROFILE = `format = 1
id = "tablet-test"
version = "1"
title = { zh-CN = "小档案", en = "Tiny" }
note = { zh-CN = "测试用", en = "For tests" }
scheme = "parts"
maximum = 10
comparison = "ge"
verdict = "total"
missing_share_max = 0.2
[[dimensions]]
code = "one"
maximum = 10
[[tiers]]
code = "literate"
label = { zh-CN = "具备", en = "Literate" }
cut = 7
literate = true
`;

function onPostgres() {
  const named = process.env.SCILIT_BROWSER_DATABASE ?? 'sqlite';
  if (!['sqlite', 'postgres'].includes(named)) throw new Error(`SCILIT_BROWSER_DATABASE is ${named}: it may be sqlite or postgres`);
  return named === 'postgres';
}

export async function freePort() {
  const probe = createSocket().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** One request to the server, as a page of ours or a program would send it. */
export function call(url, method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const sent = ask(new URL(path, url), { method, headers: { ...headers, ...(bytes ? { 'Content-Length': bytes.length } : {}) } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        let json = null;
        try {
          json = JSON.parse(text);
        } catch {
          // Not every answer has a body.
        }
        resolve({ status: answer.statusCode, headers: answer.headers, text, json });
      });
    });
    sent.on('error', reject);
    sent.end(bytes);
  });
}

// --- the server ------------------------------------------------------------------------------------------------

export class Server {
  static async start({ settings = {} } = {}) {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: build it (cargo build)`);
    const folder = mkdtempSync(join(tmpdir(), 'scilit-field-'));
    const port = await freePort();
    const server = new Server();
    server.folder = folder;
    server.url = `http://127.0.0.1:${port}`;
    server.env = {
      // What the test runner tells the tests is no setting of the program, which refuses what it does not know.
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SCILIT_'))),
      SCILIT_DATABASE_URL: ON_POSTGRES ? newDatabase() : `sqlite:${join(folder, 'field.db')}`,
      SCILIT_KEY_DIR: join(folder, 'keys'),
      SCILIT_LISTEN: `127.0.0.1:${port}`,
      SCILIT_PUBLIC_URL: server.url,
      SCILIT_ALLOW_PLAIN_COOKIE: 'true',
      SCILIT_UPLOADS_PER_MINUTE: '0',
      SCILIT_REQUESTS_PER_MINUTE: '0',
      SCILIT_DISK_FREE_PERCENT_MIN: '0',
      SCILIT_LOG: 'warn',
      ...settings,
    };
    server.run(['migrate']);
    for (const login of ['chen', 'wang']) server.run(['admin', 'create', login], PASSWORD);
    await server.up();
    return server;
  }

  run(args, input) {
    const { status, stderr } = spawnSync(BINARY, args, { env: this.env, input: input === undefined ? '' : `${input}\n`, encoding: 'utf8' });
    if (status !== 0) throw new Error(`scilit ${args.join(' ')}: ${stderr}`);
  }

  async up() {
    this.child = spawn(BINARY, ['serve'], { env: this.env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.said = '';
    this.child.stderr.on('data', (data) => (this.said += data));
    for (let tries = 0; tries < 200; tries += 1) {
      if (this.child.exitCode !== null) break;
      const answer = await call(this.url, 'GET', '/readyz').catch(() => null);
      if (answer?.status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the server did not start:\n${this.said}`);
  }

  async down(signal = 'SIGKILL') {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }

  async close() {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async signIn(login) {
    const headers = { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' };
    const answer = await call(this.url, 'POST', '/api/v1/login', { headers, body: { login, password: PASSWORD } });
    if (answer.status !== 200) throw new Error(`login of ${login}: ${answer.status} ${answer.text}`);
    return new Desk(this, answer.headers['set-cookie'][0].split(';')[0], answer.json.csrf_token);
  }
}

/** A browser at a desk. */
export class Desk {
  constructor(server, cookie, csrf) {
    Object.assign(this, { server, cookie, csrf });
  }

  async send(method, path, body, type = 'application/json') {
    const headers = { Cookie: this.cookie, 'X-CSRF-Token': this.csrf, 'Sec-Fetch-Site': 'same-origin', ...(body === undefined ? {} : { 'Content-Type': type }) };
    const answer = await call(this.server.url, method, path, { headers, ...(body === undefined ? {} : { body }) });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }
}

// --- the line --------------------------------------------------------------------------------------------------

/**
 * Between tablet and server. `mode` is what happens to requests: `pass`; `dead` (the connection is dropped); `portal` (a login
 * page with 200); `gateway` (a proxy's 502); `swallow` (the server gets and answers it, the tablet never hears).
 */
export class Line {
  static async open(server) {
    const line = new Line();
    Object.assign(line, { server, mode: 'pass', only: /^\/api\//, seen: [], rewrite: null });
    line.http = createServer((request, response) => void line.handle(request, response));
    const port = await freePort();
    line.http.listen(port, '127.0.0.1');
    await once(line.http, 'listening');
    line.url = `http://127.0.0.1:${port}`;
    return line;
  }

  async handle(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const applies = this.mode !== 'pass' && this.only.test(request.url);
    const seen = { method: request.method, path: request.url, body: body.toString(), authorization: request.headers.authorization, mode: applies ? this.mode : 'pass' };
    this.seen.push(seen);
    if (applies && this.mode === 'dead') return response.destroy();
    if (applies && this.mode === 'portal') {
      response.writeHead(200, { 'Content-Type': 'text/html' });
      return response.end('<html><body>请登录 Wi-Fi</body></html>');
    }
    if (applies && this.mode === 'gateway') {
      response.writeHead(502, { 'Content-Type': 'text/html' });
      return response.end('<html><body>Bad Gateway</body></html>');
    }
    // The host stays the tablet's own, as a real proxy would keep it.
    const target = new URL(request.url, this.server.url);
    // What is rewritten must come whole, not as a word that nothing changed.
    const asked = { ...request.headers };
    if (this.rewrite) delete asked['if-none-match'];
    const onward = ask(target, { method: request.method, headers: asked }, async (answer) => {
      const answered = [];
      for await (const part of answer) answered.push(part);
      if (applies && this.mode === 'swallow') return response.destroy();
      let bytes = Buffer.concat(answered);
      const isPacked = answer.headers['content-encoding'] === 'gzip';
      const words = isPacked ? gunzipSync(bytes) : bytes;
      seen.answer = words.toString();
      const { status, headers } = { status: answer.statusCode, headers: { ...answer.headers } };
      delete headers['transfer-encoding'];
      if (this.rewrite) {
        const changed = await this.rewrite({ request: { method: request.method, path: request.url, body: body.toString(), headers: request.headers }, status, headers, bytes: words });
        if (changed) {
          delete headers['content-encoding'];
          response.writeHead(changed.status, { ...headers, ...changed.headers, 'content-length': Buffer.byteLength(changed.body) });
          return response.end(changed.body);
        }
      }
      headers['content-length'] = bytes.length;
      response.writeHead(status, headers);
      return response.end(bytes);
    });
    onward.on('error', () => response.destroy());
    return onward.end(body);
  }

  async close() {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }
}

// --- the survey ------------------------------------------------------------------------------------------------

/** Server, line, people, questionnaire, survey and assigned cases. */
export class Field {
  static async open({ cases = 5, settings = {}, title = '平板测试（示例数据）', questionnaire = QUESTIONNAIRE, profile = PROFILE, kish = [] } = {}) {
    const field = new Field();
    field.server = await Server.start({ settings });
    field.line = await Line.open(field.server);
    try {
      return await field.prepare({ cases, title, questionnaire, profile, kish });
    } catch (error) {
      // A server that stays would keep this process from ending.
      await field.close();
      throw error;
    }
  }

  async prepare({ cases, title, questionnaire, profile, kish }) {
    const field = this;
    [field.admin, field.second] = [await field.server.signIn('chen'), await field.server.signIn('wang')];
    field.surveyor = await field.person('lixue', 'surveyor', '李雪');
    await field.person('zhao', 'supervisor', '赵督导');
    field.supervisor = await field.server.signIn('zhao');
    const { hash } = await field.admin.send('POST', '/api/v1/questionnaires', questionnaire, 'application/toml');
    field.hash = hash;
    const survey = {
      code: 'tablet-1',
      title,
      place: '哈尔滨市',
      questionnaire: hash,
      profile,
      fieldwork_from: '2025-01-01',
      fieldwork_to: '2030-12-31',
      example: true,
    };
    field.survey = (await field.admin.send('POST', '/api/v1/surveys', survey)).id;
    field.cases = Array.from({ length: cases }, (_, n) => String(n + 1).padStart(6, '0'));
    const rows = field.cases.map((one, n) => `${one},230102,s1,p${n % 3},urban,0.5,0.1`);
    const sample = `case_id,district,stratum,psu,residence,prob_psu,prob_household\n${rows.join('\n')}\n`;
    await field.admin.send('PUT', `/api/v1/surveys/${field.survey}/files/sample`, sample, 'text/csv');
    await field.assign(field.surveyor, field.cases.filter((one) => !kish.includes(one)));
    if (kish.length > 0) await field.assign(field.surveyor, kish, 'kish');
    return field;
  }

  async person(login, role, name) {
    const { id } = await this.admin.send('POST', '/api/v1/users', { login, display_name: name, work_id: `HRB-${login}`, password: PASSWORD });
    const grant = await this.admin.send('POST', `/api/v1/users/${id}/grants`, { role, scope: '', to_ms: null });
    await this.second.send('POST', `/api/v1/grants/${grant.id}/confirm`);
    return id;
  }

  async assign(user = this.surveyor, cases = this.cases, selection = 'uniform') {
    for (let at = 0; at < cases.length; at += 500) {
      const assign = cases.slice(at, at + 500).map((one) => ({ case: one, user, priority: 0, reason: '' }));
      await this.supervisor.send('POST', `/api/v1/surveys/${this.survey}/assignments`, { assign, selection });
    }
  }

  async code(user = this.surveyor) {
    return (await this.supervisor.send('POST', '/api/v1/enrolment-codes', { user, label: '平板' })).code;
  }

  /** The bytes the server keeps of a survey, by id and revision. */
  async responses() {
    return (await this.supervisor.send('GET', `/api/v1/surveys/${this.survey}/responses`)).responses;
  }

  async response(id) {
    return this.supervisor.send('GET', `/api/v1/responses/${id}`);
  }

  async close() {
    await this.line.close();
    await this.server.close();
  }
}

mkdirSync(join(HERE, '../../web/test-results'), { recursive: true });
