import type { Alarm, Area, Device, Role, Site } from '@smart-fire/core';

/** The words of an error, and what a test may look at. */
class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(`${status} ${code}: ${detail}`);
    this.status = status;
    this.code = code;
  }
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** One person at `/api/v1`, as a program would be: cookie kept, JSON in and out, problems thrown. */
export class Api {
  readonly url: string;
  #cookie: string | undefined;

  constructor(url: string) {
    this.url = url;
  }

  /** Headers of a logged-in request, for WebSockets. */
  get headers(): Record<string, string> {
    return this.#cookie ? { cookie: this.#cookie } : {};
  }

  get<T>(path: string): Promise<T> {
    return this.request('GET', path);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.request('POST', path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.request('PATCH', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.request('DELETE', path);
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: {
        ...this.headers,
        'accept-language': 'en',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0];
    if (cookie) this.#cookie = cookie;
    const text = await response.text();
    if (response.ok) return (text ? JSON.parse(text) : undefined) as T;
    const problem = parse(text);
    throw new ApiProblem(response.status, problem.code ?? '?', problem.detail ?? text.slice(0, 300));
  }

  async logIn(username: string, password: string): Promise<this> {
    await this.post('session', { username, password });
    return this;
  }

  /** The first administrator, by the token of the set-up link; logged in afterwards. */
  async setUp(token: string, person: { username: string; name: string; password: string }): Promise<this> {
    await this.post('setup', { token, ...person });
    return this;
  }

  addArea(name: string): Promise<Area> {
    return this.post('areas', { name, level: 'city', code: null, parent: null });
  }

  addSite(area: string, name: string): Promise<Site> {
    const contacts = [{ name: 'duty room', post: 'guard', telephone: '01' }];
    return this.post('sites', { area, name, address: `${name} street 1`, contacts });
  }

  addDevice(site: string, kind: string, id?: string): Promise<{ device: Device; secret: string }> {
    return this.post('devices', { site, kind, name: id ?? kind, location: 'first floor', ...(id ? { id } : {}) });
  }

  addPerson(role: Role, username: string, password: string, scope = '/'): Promise<{ id: string }> {
    return this.post('users', { role, username, name: username, password, scope });
  }

  async alarmsOf(device: string): Promise<Alarm[]> {
    return (await this.get<Page<Alarm>>(`alarms?device=${encodeURIComponent(device)}`)).items;
  }
}

function parse(text: string): { code?: string; detail?: string } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
