/** Requests to the server, and whether it was the server that answered. */

const BASE = '/api/v1';
const TIME_MAX_MS = 30_000;

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly retryable: boolean;
  readonly action: string;
  readonly retryAfterMs: number | null;
  readonly text: string;
}

/**
 * `offline` is whatever did not come from the server: no network, a proxy's error page, a captive portal's login page with status
 * 200. Only the marker header proves that our server spoke.
 */
export type Answer =
  | { readonly kind: 'ok'; readonly status: number; readonly text: string; readonly serverMs: number | null; readonly etag: string | null }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'offline'; readonly why: 'network' | 'portal' };

export interface Ask {
  readonly method?: string;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

export type Send = (path: string, ask?: Ask) => Promise<Answer>;

export const sender =
  (release: string, fetching: typeof fetch = (...args) => fetch(...args)): Send =>
  async (path, { method = 'GET', token = null, headers = {}, json, bytes } = {}) => {
    const all = new Headers({ 'X-Client-Release': release, ...headers });
    if (token !== null) all.set('Authorization', `Bearer ${token}`);
    const body = bytes ?? (json === undefined ? undefined : JSON.stringify(json));
    if (body !== undefined && !all.has('Content-Type')) all.set('Content-Type', 'application/json');
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(TIME_MAX_MS);
      response = await fetching(BASE + path, { method, headers: all, signal, cache: 'no-store', ...(body === undefined ? {} : { body }) });
      text = await response.text();
    } catch {
      return { kind: 'offline', why: 'network' };
    }
    if (response.headers.get('X-Survey-Api') !== '1') return { kind: 'offline', why: 'portal' };
    if (response.ok || response.status === 304) {
      const time = Number(response.headers.get('X-Server-Time-Ms') ?? Number.NaN);
      return { kind: 'ok', status: response.status, text, serverMs: Number.isFinite(time) ? time : null, etag: response.headers.get('ETag') };
    }
    return { kind: 'refused', problem: problemOf(response, text) };
  };

function problemOf(response: Response, text: string): Problem {
  let fields: Record<string, unknown> = {};
  try {
    fields = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Without a body the status alone decides.
  }
  const word = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const after = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return {
    status: response.status,
    code: word('code'),
    title: word('title'),
    retryable: typeof fields['retryable'] === 'boolean' ? fields['retryable'] : response.status >= 500,
    action: word('action'),
    retryAfterMs: Number.isFinite(after) ? after * 1000 : null,
    text,
  };
}

export const jsonOf = <T>(answer: Answer & { kind: 'ok' }): T => JSON.parse(answer.text) as T;
