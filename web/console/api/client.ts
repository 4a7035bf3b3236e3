import type { ErrorCode, Language } from '@smart-fire/core';

/** A problem+json answer: `message` is the server's own sentence in the language asked for. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: ErrorCode | 'UNREACHABLE' | 'UNKNOWN';
  /** Everything the answer carried, for codes that say more (current alarm at 409…). */
  readonly problem: Record<string, unknown>;

  constructor(status: number, code: ApiError['code'], message: string, problem: Record<string, unknown> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.problem = problem;
  }
}

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

export interface ApiClient {
  get<T>(path: string, query?: Query): Promise<T>;
  /** Rejects when the signal is aborted, as if there was no server. */
  post<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
  /** An answer that is no JSON. */
  text(path: string): Promise<string>;
  /** A YAML body. */
  postText<T>(path: string, body: string, query?: Query): Promise<T>;
}

export interface ApiDeps {
  fetch: typeof fetch;
  language: () => Language;
  /** The session has ended: back to log-in. */
  onLoggedOut: () => void;
}

const UNREACHABLE: Record<Language, string> = {
  zh: '无法连接服务器,请检查网络后重试。',
  en: 'The server cannot be reached. Check the network and try again.',
};
const UNKNOWN: Record<Language, string> = {
  zh: '服务器返回了无法识别的错误',
  en: 'The server answered with an error we do not know',
};

/** Speaks to `/api/v1`. Rejects with ApiError only. */
export function createApi({ fetch, language, onLoggedOut }: ApiDeps): ApiClient {
  async function request<T>(
    method: string,
    path: string,
    query?: Query,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<T> {
    const about = signal ? { signal } : {};
    const json = body === undefined ? about : { ...about, type: 'application/json', body: JSON.stringify(body) };
    return parse(await send(method, path, query, json)) as T;
  }

  /** Resolves with the text of an answer that is no problem. */
  async function send(
    method: string,
    path: string,
    query: Query | undefined,
    { type, body, signal }: { type?: string; body?: string; signal?: AbortSignal },
  ): Promise<string> {
    let response: Response;
    try {
      response = await fetch(`/api/v1/${path}${queryString(query)}`, {
        method,
        credentials: 'same-origin',
        headers: {
          'accept-language': language() === 'zh' ? 'zh-CN' : 'en',
          ...(type === undefined ? {} : { 'content-type': type }),
        },
        ...(body === undefined ? {} : { body }),
        ...(signal ? { signal } : {}),
      });
    } catch {
      throw new ApiError(0, 'UNREACHABLE', UNREACHABLE[language()]);
    }
    const text = await response.text();
    if (response.ok) return text;
    const problem = (parse(text) ?? {}) as Record<string, unknown>;
    const code = (typeof problem.code === 'string' ? problem.code : 'UNKNOWN') as ApiError['code'];
    if (code === 'FIRE_LOGIN_REQUIRED') onLoggedOut();
    const sentence = problem.detail ?? problem.title ?? `${UNKNOWN[language()]} (${response.status})`;
    throw new ApiError(response.status, code, String(sentence), problem);
  }

  return {
    get: (path, query) => request('GET', path, query),
    post: (path, body, signal) => request('POST', path, undefined, body, signal),
    put: (path, body) => request('PUT', path, undefined, body),
    patch: (path, body) => request('PATCH', path, undefined, body),
    delete: (path) => request('DELETE', path),
    text: (path) => send('GET', path, undefined, {}),
    postText: async (path, body, query) =>
      parse(await send('POST', path, query, { type: 'application/yaml', body })) as never,
  };
}

export function queryString(query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    // A list is one comma-separated value.
    params.set(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
