import type { MapFile, Questionnaire, Release, Results, Run, RunFile, Series } from './types';

const BASE = '/api/v1';
const TOKEN_KEY = 'scilit.token';

/** Why a request gave no data: what the page shows, and what it offers, depends on `kind` alone. */
export type ProblemKind = 'network' | 'intercepted' | 'unauthenticated' | 'forbidden' | 'missing' | 'server';

export class Problem extends Error {
  /** Whether a token, or another one, may help. */
  get wantsToken(): boolean {
    return this.kind === 'unauthenticated' || this.kind === 'forbidden';
  }

  constructor(
    readonly kind: ProblemKind,
    /** The server's own words, where it gave any. */
    readonly title: string | null = null,
    readonly detail: string | null = null,
    readonly requestId: string | null = null,
  ) {
    super(title ?? kind);
    this.name = 'Problem';
  }
}

/** The token lives as long as the browser tab: nothing is left on a shared computer. */
export const access = {
  token: (): string | null => sessionStorage.getItem(TOKEN_KEY),
  keep: (token: string): void => sessionStorage.setItem(TOKEN_KEY, token),
  forget: (): void => sessionStorage.removeItem(TOKEN_KEY),
};

function kindOf(status: number): ProblemKind {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'missing';
  return 'server';
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  return new Problem(kindOf(response.status), text(fields['title']), text(fields['detail']), text(fields['request_id']));
}

async function request(path: string, signal?: AbortSignal): Promise<Response> {
  const token = access.token();
  const headers = new Headers(token === null ? {} : { Authorization: `Bearer ${token}` });
  let response: Response;
  try {
    response = await fetch(BASE + path, { headers, ...(signal ? { signal } : {}) });
  } catch {
    throw new Problem('network');
  }
  // Captive portals and proxies answer with a page of their own: only the marker proves that our server spoke.
  if (!response.headers.has('X-Survey-Api')) throw new Problem('intercepted');
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function json<T>(path: string): Promise<T> {
  const response = await request(path);
  try {
    return (await response.json()) as T;
  } catch {
    throw new Problem('server');
  }
}

export const latestRun = (): Promise<Run> => json<Run>('/runs/latest');

export const runOf = (run: string): Promise<Run> => json<Run>(`/runs/${encodeURIComponent(run)}`);

/** The newest run the asker may see, in whatever state. */
export const newestRun = async (): Promise<Run | null> => (await json<{ runs: Run[] }>('/runs?limit=1')).runs[0] ?? null;

export const filesOf = async (run: string): Promise<RunFile[]> =>
  (await json<{ files: RunFile[] }>(`/runs/${encodeURIComponent(run)}/files`)).files;

export const questionnaires = async (): Promise<Questionnaire[]> =>
  (await json<{ questionnaires: Questionnaire[] }>('/questionnaires')).questionnaires;

export const resultsOf = (run: string): Promise<Results> => json<Results>(`/runs/${encodeURIComponent(run)}/results`);

export const releaseOf = (run: string): Promise<Release> => json<Release>(`/runs/${encodeURIComponent(run)}/release`);

/** The outlines of the run's districts; null where nobody supplied any. */
export async function mapOf(run: string): Promise<MapFile | null> {
  const response = await request(`/runs/${encodeURIComponent(run)}/map`);
  return response.status === 204 ? null : ((await response.json()) as MapFile);
}

export const seriesOf = (run: string): Promise<Series> => json<Series>(`/runs/${encodeURIComponent(run)}/series`);

export const filePath = (run: string, name: string): string =>
  `/runs/${encodeURIComponent(run)}/files/${encodeURIComponent(name)}`;

export const fileUrl = (run: string, name: string): string => BASE + filePath(run, name);

export type ReportKind = 'pdf' | 'html';

export async function report(run: string, kind: ReportKind, language: string): Promise<Blob> {
  return (await request(`/runs/${encodeURIComponent(run)}/report.${kind}?language=${encodeURIComponent(language)}`)).blob();
}

/** Files with one row a person are handed out for a purpose only, which the log keeps. */
export async function file(run: string, name: string, purpose = ''): Promise<Blob> {
  const query = purpose === '' ? '' : `?purpose=${encodeURIComponent(purpose)}`;
  return (await request(filePath(run, name) + query)).blob();
}
