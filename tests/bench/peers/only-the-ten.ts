import type { Api } from '../../harness/api.ts';
import { CHILD_KIND, GATEWAY_KIND } from '../fleet.ts';
import { TEN_RULES } from '../ten-rules.ts';

interface RuleItem {
  id: string;
  version?: number;
  kind?: string;
  mode?: string;
  scope?: { kinds?: string[] };
  definition: { type: string };
}

/**
 * Switches off what else would judge the bench's devices, so that exactly the ten are in force; `also` names what cannot be switched off.
 * Throws when one of the ten does not exist.
 */
export async function onlyTheTen(api: Api): Promise<{ ten: string[]; also: string[] }> {
  const { items } = await api.get<{ items: RuleItem[] }>('rules?limit=1000');
  const concerned = items.filter(({ scope, kind, mode }) => {
    const kinds = scope?.kinds ?? (kind ? [kind] : []);
    return mode !== 'off' && (kinds.length === 0 || kinds.includes(CHILD_KIND) || kinds.includes(GATEWAY_KIND));
  });
  const types = new Map(concerned.map(({ id, definition }) => [id, definition.type]));
  const missing = TEN_RULES.filter((id) => !types.has(id));
  if (missing.length > 0) throw new Error(`no such preset: ${missing.join(', ')}`);
  const also: string[] = [];
  for (const { id, version } of concerned.filter((rule) => !TEN_RULES.includes(rule.id)))
    await api
      .patch(`rules/${encodeURIComponent(id)}`, { version, mode: 'off' })
      .catch(() => also.push(id.replace('preset:', '')));
  return { ten: TEN_RULES.map((id) => `${types.get(id)} ${id.replace('preset:', '')}`), also };
}
