import { afterEach, describe, expect, it, vi } from 'vitest';
import { access, file, latestRun, newestRun, Problem } from '../src/api/client';

const ours = { 'X-Survey-Api': '1', 'Content-Type': 'application/json' };
const answers = (response: Response | Error) => {
  const asked = vi.fn(() => (response instanceof Error ? Promise.reject(response) : Promise.resolve(response)));
  vi.stubGlobal('fetch', asked);
  return asked as unknown as ReturnType<typeof vi.fn<(url: string, init: { headers: Headers }) => Promise<Response>>>;
};
const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
  const error: unknown = await work.then(() => null, (caught: unknown) => caught);
  if (!(error instanceof Problem)) throw new Error('expected a problem');
  return error;
};

afterEach(() => {
  vi.unstubAllGlobals();
  access.forget();
});

describe('the client', () => {
  it('reads the latest run', async () => {
    answers(new Response('{"id":"a","state":"succeeded"}', { headers: ours }));
    expect(await latestRun()).toEqual({ id: 'a', state: 'succeeded' });
  });

  it('sends a token only when there is one', async () => {
    const asked = answers(new Response('{}', { headers: ours }));
    await latestRun();
    expect(asked.mock.lastCall?.[1].headers.has('Authorization')).toBe(false);
    access.keep('secret');
    answers(new Response('{}', { headers: ours }));
    await latestRun();
    expect(vi.mocked(fetch).mock.lastCall?.[1]?.headers).toEqual(new Headers({ Authorization: 'Bearer secret' }));
  });

  it('keeps the reason apart: no network, another answerer, no login, no right, nothing there, a fault', async () => {
    answers(new Error('offline'));
    expect((await problemOf(latestRun())).kind).toBe('network');
    answers(new Response('<html>登录</html>'));
    expect((await problemOf(latestRun())).kind).toBe('intercepted');
    for (const [status, kind] of [[401, 'unauthenticated'], [403, 'forbidden'], [404, 'missing'], [500, 'server']] as const) {
      answers(new Response('{"title":"标题","detail":"说明","request_id":"r1"}', { status, headers: ours }));
      expect(await problemOf(latestRun())).toMatchObject({ kind, title: '标题', detail: '说明', requestId: 'r1' });
    }
  });

  it('takes broken JSON for a fault of the server, also in a problem', async () => {
    answers(new Response('{', { headers: ours }));
    expect((await problemOf(latestRun())).kind).toBe('server');
    answers(new Response('nothing', { status: 502, headers: ours }));
    expect(await problemOf(latestRun())).toMatchObject({ kind: 'server', title: null });
  });

  it('finds no newest run in an empty list', async () => {
    answers(new Response('{"runs":[],"next":null}', { headers: ours }));
    expect(await newestRun()).toBeNull();
  });

  it('keeps the names of files inside their folder', async () => {
    const asked = answers(new Response('a', { headers: ours }));
    await file('run', '../x');
    expect(asked.mock.lastCall?.[0]).toBe('/api/v1/runs/run/files/..%2Fx');
  });
});
