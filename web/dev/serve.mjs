// A small stand-in for the server: the built pages under the same content policy, and the API of one made-up run.
// For looking at the pages and for the browser tests when no real server is named; nothing of it is in the built pages.
//
//   npm run build && npm run serve        then open http://127.0.0.1:4173/

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const FIXTURE = fileURLToPath(new URL('../test/fixtures/results.json', import.meta.url));
export const RUN = '0193b1f2-7c1e-7e5a-9d8b-5f0f3a1c2b4d';
export const TOKEN = 'fixture-token';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

function problem(status, code, title) {
  const body = JSON.stringify({ type: `/problems/${code}`, title, status, code, retryable: false, action: 'none', request_id: 'fixture', errors: [] });
  return { status, type: 'application/problem+json', body };
}

const answered = (body, type = 'application/json') => ({ status: 200, type, body });

async function api(path, headers) {
  if (path === '/api/v1/runs/latest') return answered(JSON.stringify({ id: RUN, state: 'succeeded' }));
  if (path === `/api/v1/runs/${RUN}/results`) return answered(await readFile(FIXTURE));
  if (path === `/api/v1/runs/${RUN}/map`) return { status: 204, type: 'application/geo+json', body: '' };
  const known = headers.authorization === `Bearer ${TOKEN}`;
  if (path === `/api/v1/runs/${RUN}/files`) {
    const names = known ? ['indicator.csv', 'results.json', 'responses_weighted.csv', 'weights_log.csv'] : ['indicator.csv', 'results.json'];
    return answered(JSON.stringify({ files: names.map((name) => ({ name, content_type: 'text/csv', sha256: 'c0'.repeat(32) })) }));
  }
  const guarded = ['/files/responses_weighted.csv', '/files/weights_log.csv', '/questionnaires'].some((end) => path.endsWith(end));
  if (guarded && !known) return problem(401, 'unauthenticated', '登录已过期，请重新登录');
  if (path === '/api/v1/questionnaires')
    return answered(JSON.stringify({ questionnaires: [{ hash: '9f'.repeat(32), id: 'csl-demo', version: '1.0.0', title: '公民科学素质调查问卷（示例）' }] }));
  if (path.startsWith(`/api/v1/runs/${RUN}/files/`)) return answered('id,value\r\n1,2\r\n', 'text/csv; charset=utf-8');
  return problem(404, 'not-found', '没有这个地址');
}

async function page(path) {
  const file = normalize(path.endsWith('/') ? `${path}index.html` : path);
  try {
    return { status: 200, type: TYPES[extname(file)] ?? 'application/octet-stream', body: await readFile(DIST + file) };
  } catch {
    return { status: 404, type: 'text/plain; charset=utf-8', body: '没有这个页面' };
  }
}

export function startServer(port = 0) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const isApi = pathname.startsWith('/api/');
    const answer = isApi ? await api(pathname, request.headers) : await page(pathname);
    response.writeHead(answer.status, {
      'Content-Type': answer.type,
      'Content-Security-Policy': POLICY,
      'X-Content-Type-Options': 'nosniff',
      ...(isApi ? { 'X-Survey-Api': '1', 'Cache-Control': 'no-store' } : {}),
    });
    response.end(answer.body);
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startServer(Number(process.env.PORT ?? 4173));
  process.stdout.write(`${url}\n`);
}
