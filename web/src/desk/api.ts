import { ref } from 'vue';

const BASE = '/api/v1';

/** A fault of what was sent, with its place. */
export interface Fault {
  code: string;
  message: Record<string, string>;
  file?: string;
  line?: number;
  column?: string;
  item?: string;
  pointer?: string;
}

export type Trouble = 'network' | 'intercepted' | 'unauthenticated' | 'forbidden' | 'missing' | 'refused' | 'server';

/** Why a request was not answered as asked: what a page shows depends on `kind`, and the words are the server's. */
export class Problem extends Error {
  constructor(
    readonly kind: Trouble,
    readonly code = '',
    readonly title = '',
    readonly detail = '',
    readonly faults: readonly Fault[] = [],
    readonly requestId = '',
  ) {
    super(title || kind);
    this.name = 'Problem';
  }
}

export const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : new Problem('server'));

/** The token that changing requests repeat; it lives as long as the page, the session itself is a cookie no script sees. */
let csrf: string | null = null;
export const keepCsrf = (token: string | null): void => {
  csrf = token;
};

/** Set when the server no longer knows who asks, so that the page asks for a new sign-in. */
export const expired = ref(false);

function kindOf(status: number): Trouble {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'missing';
  return status < 500 ? 'refused' : 'server';
}

async function problemOf(response: Response): Promise<Problem> {
  const body = ((await response.json().catch(() => null)) ?? {}) as Record<string, unknown>;
  const text = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
  const faults = Array.isArray(body['errors']) ? (body['errors'] as Fault[]) : [];
  return new Problem(kindOf(response.status), text('code'), text('title'), text('detail'), faults, text('request_id'));
}

interface Sent {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: unknown;
  text?: { type: string; content: string };
}

export async function request(path: string, { method = 'GET', body, text }: Sent = {}): Promise<Response> {
  const headers = new Headers();
  if (csrf !== null && method !== 'GET') headers.set('X-CSRF-Token', csrf);
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  if (text) headers.set('Content-Type', text.type);
  const content = text?.content ?? (body === undefined ? null : JSON.stringify(body));
  let response: Response;
  try {
    response = await fetch(BASE + path, { method, headers, body: content, credentials: 'same-origin' });
  } catch {
    throw new Problem('network');
  }
  // Captive portals and proxies answer with a page of their own: only the marker proves that our server spoke.
  if (!response.headers.has('X-Survey-Api')) throw new Problem('intercepted');
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.code === 'unauthenticated') expired.value = true;
  throw problem;
}

export async function get<T>(path: string): Promise<T> {
  return (await (await request(path)).json()) as T;
}

export async function post<T = void>(path: string, body?: unknown): Promise<T> {
  const response = await request(path, body === undefined ? { method: 'POST' } : { method: 'POST', body });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export async function remove(path: string): Promise<void> {
  await request(path, { method: 'DELETE' });
}

/** Every page of a list, up to so many rows: a desk shows hundreds, not millions. */
export async function all<T>(path: string, name: string, rowsMax = 2000): Promise<T[]> {
  const rows: T[] = [];
  let after = '';
  do {
    const page = await get<Record<string, unknown>>(`${path}${path.includes('?') ? '&' : '?'}limit=200${after}`);
    rows.push(...(page[name] as T[]));
    const next = page['next'];
    after = next === null || next === undefined ? '' : `&after=${encodeURIComponent(String(next))}`;
  } while (after !== '' && rows.length < rowsMax);
  return rows;
}

export async function download(path: string): Promise<Blob> {
  return (await request(path)).blob();
}
