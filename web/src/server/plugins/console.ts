import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { FireError } from '@smart-fire/core';
import type { App } from '../app.ts';
import { noun } from '../words.ts';

const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));
const YEAR_MS = 365 * 86_400_000;

/** The built console, its index page for every address it knows by itself, and a problem for everything else. */
export async function addConsole(app: App): Promise<void> {
  const built = existsSync(`${DIST}/index.html`);
  await app.register(fastifyStatic, { root: DIST, serve: false });
  // No limit here: a whole centre behind one address opens its consoles in the same minute.
  app.setNotFoundHandler((request, reply) => {
    const path = decodePath(request.url);
    const isPage = request.method === 'GET' || request.method === 'HEAD';
    if (!isPage || path === null || /^\/(api|mqtt)(\/|$)/.test(path))
      throw new FireError('FIRE_NOT_FOUND', { what: noun('path', request.url.split('?')[0]) });
    if (!built) {
      return reply
        .status(404)
        .type('text/plain; charset=utf-8')
        .send('The console is not built. Run npm ci.\n控制台尚未构建,请运行 npm ci。\n');
    }
    // Names under /assets/ carry a hash of their content.
    if (path.startsWith('/assets/')) return reply.sendFile(path.slice(1), { maxAge: YEAR_MS, immutable: true });
    if (/\.\w+$/.test(path) && existsSync(DIST + path)) return reply.sendFile(path.slice(1), { maxAge: 0 });
    return reply.sendFile('index.html', { maxAge: 0, cacheControl: true });
  });
}

function decodePath(url: string): string | null {
  try {
    const path = decodeURIComponent(url.split('?')[0]!);
    return path.includes('\0') || path.split('/').includes('..') ? null : path;
  } catch {
    return null;
  }
}
