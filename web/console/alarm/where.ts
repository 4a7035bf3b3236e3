/**
 * Zone, place and device in one line. Names often repeat what stands before them (zone "二层东区", device "二层东区 3 号"):
 * a part that a later one begins with is left out.
 */
export function whereText(parts: readonly (string | null)[]): string {
  const named = parts.filter((part): part is string => Boolean(part));
  return named.filter((part, i) => !named.some((later, j) => j > i && later.startsWith(part))).join(' · ');
}
