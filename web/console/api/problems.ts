import { ApiError } from './client.ts';

/**
 * What the server said about single fields, by path; several of one field are joined. `within` are prefixes that are no part of the
 * field's name in the form (`definition.`).
 */
export function fieldProblems(error: unknown, within: readonly string[] = []): Record<string, string> {
  const list = error instanceof ApiError ? error.problem.problems : null;
  if (!Array.isArray(list)) return {};
  const found: Record<string, string> = {};
  for (const { path, message } of list as { path: string; message: string }[]) {
    const prefix = within.find((one) => path.startsWith(one)) ?? '';
    const name = path.slice(prefix.length);
    found[name] = found[name] ? `${found[name]}; ${message}` : message;
  }
  return found;
}
