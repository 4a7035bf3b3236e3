/** Roles of the people who use a centre. */
export const ROLES = [
  'operator',
  'duty-lead',
  'town-office',
  'grid-member',
  'agency',
  'site-owner',
  'installer',
  'administrator',
  'auditor',
] as const;
export type Role = (typeof ROLES)[number];

/** A person who can log in. `scope` is the path of an area or site: everything below it, nothing else. */
export interface Person {
  id: string;
  username: string;
  name: string;
  role: Role;
  /** `/` is the whole tree. */
  scope: string;
  disabled: boolean;
  /** An installer's right ends by itself (ms UTC), null = no end. */
  validUntil: number | null;
}
