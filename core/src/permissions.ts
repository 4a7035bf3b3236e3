import type { Role } from './model/person.ts';

/** Everything anybody can do. Every route, list and live message names one of these. */
export const PERMISSIONS = [
  'alarm.read',
  'alarm.acknowledge',
  'alarm.verify',
  'alarm.close',
  'area.read',
  'area.write',
  'site.read',
  'site.write',
  'device.read',
  'device.write',
  'device.raw.read',
  'reading.read',
  'rule.read',
  'rule.write',
  'maintenance.write',
  'person.read',
  'person.write',
  'token.write',
  'audit.read',
  'health.read',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

const watch = ['alarm.read', 'area.read', 'site.read', 'device.read', 'reading.read', 'health.read'] as const;
const act = ['alarm.acknowledge', 'alarm.verify', 'alarm.close'] as const;
const tune = ['rule.read', 'rule.write', 'maintenance.write'] as const;

/** The one permission table. What is not listed is refused. An administrator does no operator's act; an auditor does nothing at all. */
export const ROLE_PERMISSIONS: Record<Role, readonly Permission[]> = {
  operator: [...watch, ...act, 'device.raw.read', 'rule.read', 'token.write'],
  'duty-lead': [...watch, ...act, ...tune, 'device.raw.read', 'token.write', 'audit.read'],
  'town-office': [...watch, 'rule.read'],
  'grid-member': [...watch],
  agency: ['alarm.read', 'site.read', 'device.read', 'area.read'],
  'site-owner': [...watch],
  installer: [
    'area.read',
    'site.read',
    'device.read',
    'device.write',
    'device.raw.read',
    'reading.read',
    'alarm.read',
    'health.read',
  ],
  administrator: [
    ...watch,
    'area.write',
    'site.write',
    'device.write',
    'device.raw.read',
    ...tune,
    'person.read',
    'person.write',
    'token.write',
    'audit.read',
  ],
  auditor: [...watch, 'device.raw.read', 'rule.read', 'person.read', 'audit.read'],
};

/** Who asks: a person's role and the subtree it holds for. */
export interface Subject {
  role: Role;
  scope: string;
}

/** True when the subject's role has the permission at all, somewhere. */
export function mayAnywhere(subject: Subject, permission: Permission): boolean {
  return ROLE_PERMISSIONS[subject.role].includes(permission);
}

/** True when the subject has the permission for the thing at `path` (`/area/…/site/`). */
export function may(subject: Subject, permission: Permission, path: string): boolean {
  return mayAnywhere(subject, permission) && path.startsWith(subject.scope);
}
