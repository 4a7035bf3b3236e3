import type { Area, Site } from '@smart-fire/core';

/** A node of the tree people see: areas, with their sites as leaves. */
export interface PlaceNode {
  id: string;
  kind: 'area' | 'site';
  label: string;
  path: string;
  area?: Area;
  site?: Site;
  children: PlaceNode[];
}

/** Builds the tree. What hangs under an area that is not in sight (outside the person's subtree) is a root. */
export function placeTree(areas: readonly Area[], sites: readonly Site[], language: string): PlaceNode[] {
  const nodes = new Map<string, PlaceNode>();
  for (const area of areas)
    nodes.set(area.id, { id: area.id, kind: 'area', label: area.name, path: area.path, area, children: [] });
  const roots: PlaceNode[] = [];
  for (const area of areas) (nodes.get(area.parent ?? '')?.children ?? roots).push(nodes.get(area.id)!);
  for (const site of sites) {
    const node: PlaceNode = { id: site.id, kind: 'site', label: site.name, path: site.path, site, children: [] };
    (nodes.get(site.area)?.children ?? roots).push(node);
  }
  const byName = new Intl.Collator(language === 'zh' ? 'zh-CN' : 'en', { numeric: true });
  const sort = (list: PlaceNode[]) => {
    list.sort((a, b) => (a.kind === b.kind ? byName.compare(a.label, b.label) : a.kind === 'area' ? -1 : 1));
    for (const { children } of list) sort(children);
  };
  sort(roots);
  return roots;
}

/** Names from the top down to the place a path names: `句容市 / 华阳街道`. */
export function pathName(path: string, areas: readonly Area[], sites: readonly Site[], whole: string): string {
  if (path === '/') return whole;
  const names = new Map<string, string>([
    ...areas.map((area) => [area.id, area.name] as const),
    ...sites.map((site) => [site.id, site.name] as const),
  ]);
  return path
    .split('/')
    .filter(Boolean)
    .map((id) => names.get(id) ?? id)
    .join(' / ');
}
