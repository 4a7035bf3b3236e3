import { checkTelemetryItem, type TelemetryItem } from './check.ts';
import { jsonOf } from './payload.ts';
import type { Problems } from './problems.ts';
import { ITEMS_MAX } from './schema.ts';

/** The good items of a telemetry message in the order of their `ts`; what is bad is added to `problems`. */
export function decodeTelemetry(text: string | null, problems: Problems): TelemetryItem[] {
  const json = jsonOf(text, problems);
  if (json === undefined) return [];
  if (!Array.isArray(json)) {
    const item = checkTelemetryItem(json, null, problems);
    return item ? [item] : [];
  }
  if (json.length > ITEMS_MAX) {
    problems.add('TOO_MANY', null, '');
    return [];
  }
  const items: TelemetryItem[] = [];
  let ascending = true;
  for (let index = 0; index < json.length; index++) {
    const item = checkTelemetryItem(json[index], index, problems);
    if (!item) continue;
    if (items.length > 0 && items[items.length - 1]!.ts! > item.ts!) ascending = false;
    items.push(item);
  }
  return ascending ? items : items.sort((a, b) => a.ts! - b.ts!);
}
