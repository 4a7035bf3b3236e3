import { randomUUID } from 'node:crypto';
import {
  ERRORS,
  type ErrorCode,
  errorSentence,
  FireError,
  type Language,
  type RuleProblem,
  Words,
} from '@smart-fire/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';

/** RFC 9457, with our stable code. `params` are the figures of the sentence, for programs. */
export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    instance: z.string().optional(),
    problems: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problem>;

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const localize = { zh: z.locales.zhCN().localeError, en: z.locales.en().localeError };

/** The first of zh and en that the client names; Chinese when it names neither. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const weighed = (acceptLanguage ?? '').split(',').flatMap((part, order) => {
    const [, language, q] = /^\s*(zh|en)\b[^;]*(?:;\s*q=([\d.]+))?/i.exec(part) ?? [];
    return language
      ? [{ language: language.toLowerCase() as Language, q: q === undefined ? 1 : Number(q), order }]
      : [];
  });
  weighed.sort((a, b) => b.q - a.q || a.order - b.order);
  return weighed.find(({ q }) => q > 0)?.language ?? 'zh';
}

/** The answer to an error; what is not ours to tell (5xx) is replaced by `id`, under which the log has it. */
export function toProblem(error: unknown, language: Language, id: string): Problem {
  if (isInvalid(error)) {
    const problems = problemsOf(error.validation, error.validationContext, language);
    const text = problems.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
    return { ...build('FIRE_REQUEST_INVALID', { problems: text }, language), problems };
  }
  if (error instanceof FireError) {
    // Startup errors (configuration, formats) have no business in an answer.
    const shown = ERRORS[error.code].status === 500 ? 'FIRE_INTERNAL' : error.code;
    if (shown === 'FIRE_INTERNAL') return build(shown, { id }, language);
    const { fields, ...params } = error.params;
    const answer = build(shown, params, language);
    if (!Array.isArray(fields)) return answer;
    // Found behind the route's own schema (a rule's parameters): told to forms in the same way.
    const problems = (fields as RuleProblem[]).map((one) => ({ path: one.path, message: one[language] }));
    return { ...answer, problems };
  }
  const status = (error as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500)
    return { ...build('FIRE_REQUEST_INVALID', { problems: (error as Error).message }, language), status };
  return build('FIRE_INTERNAL', { id }, language);
}

export function addErrors(app: App, { log }: Context): void {
  app.setErrorHandler((error, request, reply) => {
    const id = randomUUID();
    const tooLarge = (error as { statusCode?: unknown }).statusCode === 413;
    const met = tooLarge ? new FireError('FIRE_PAYLOAD_TOO_LARGE', { max: request.routeOptions.bodyLimit }) : error;
    const answer = toProblem(met, languageOf(request.headers['accept-language']), id);
    if (answer.status >= 500) log.error({ err: error, id, route: request.routeOptions.url }, 'request failed');
    const wait = answer.params?.seconds;
    if (answer.status === 429 && wait !== undefined) void reply.header('retry-after', wait);
    return reply
      .status(answer.status)
      .header('content-language', languageOf(request.headers['accept-language']))
      .type('application/problem+json')
      .serializer((body: unknown) => JSON.stringify(body))
      .send({ ...answer, instance: pathOf(request) });
  });
}

function build(code: ErrorCode, params: Record<string, unknown>, language: Language): Problem {
  const { status } = ERRORS[code];
  const spoken = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, value instanceof Words ? value[language] : value]),
  );
  const figures = Object.fromEntries(
    Object.entries(params).filter(([, value]) => typeof value === 'number' || typeof value === 'string'),
  ) as Record<string, string | number>;
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    code,
    detail: errorSentence(code, spoken, language),
    ...(Object.keys(figures).length > 0 && code !== 'FIRE_REQUEST_INVALID' ? { params: figures } : {}),
  };
}

interface Invalid {
  validation: { keyword: string; instancePath: string; message?: string; params: Record<string, unknown> }[];
  validationContext?: string;
}

function isInvalid(error: unknown): error is Invalid {
  return typeof error === 'object' && error !== null && Array.isArray((error as Partial<Invalid>).validation);
}

/** zod's own sentences in the language asked for; ours where a schema has its own. */
function problemsOf(validation: Invalid['validation'], part: string | undefined, language: Language) {
  return validation.map(({ keyword, instancePath, message, params }) => {
    const path = instancePath.slice(1).replaceAll('/', '.');
    const issue = { ...params, code: keyword, path: path.split('.'), input: undefined };
    const english = localize.en(issue as never);
    // A message that is not zod's default is a schema's own.
    const own = keyword === 'custom' || keyword === 'invalid_type' || keyword === 'invalid_union';
    const localized = own ? message : (localize[language](issue as never) ?? english);
    const text = typeof localized === 'string' ? localized : (localized?.message ?? message ?? keyword);
    return { path: path || (part ?? ''), message: text };
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0]!;
}
