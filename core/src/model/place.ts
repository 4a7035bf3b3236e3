/** Levels of the area tree above a site, top first. */
export const AREA_LEVELS = ['city', 'town', 'village', 'grid'] as const;
export type AreaLevel = (typeof AREA_LEVELS)[number];

/** A node of the tree above a site. `path` is `/id/id/` from the root to itself; a scope is a prefix of paths. */
export interface Area {
  id: string;
  parent: string | null;
  level: AreaLevel;
  name: string;
  /** GB/T 2260 (6 digits) or the 12-digit statistical code. */
  code: string | null;
  path: string;
}

export interface Contact {
  name: string;
  post: string;
  telephone: string;
}

/** A connected building or unit 联网单位. `path` is the area's path followed by its own id. */
export interface Site {
  id: string;
  area: string;
  name: string;
  address: string;
  contacts: Contact[];
  path: string;
}

/** 防火分区/部位: part of a site in which detectors confirm each other. */
export interface Zone {
  id: string;
  site: string;
  name: string;
}

/** Anything that reports. `gateway` is the device that carries its messages, if any. */
export interface Device {
  id: string;
  kind: string;
  name: string;
  site: string;
  zone: string | null;
  gateway: string | null;
  /** Where exactly it hangs, for the person who has to find it. */
  location: string;
  disabled: boolean;
  createdAt: number;
}

/** Device ids; also what the device uses as MQTT user name. `agencies` is taken by the topic tree. */
export const DEVICE_ID = /^(?!agencies$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
