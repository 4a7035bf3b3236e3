/** What is known of a device being alive. */
export interface Evidence {
  /** Our clock at the last reading or event; null = never heard. */
  lastSeenAt: number | null;
  /** Listened time at that message. */
  heardAt: number;
  /** What the device says of itself. */
  claimsOnline: boolean | null;
  silent: boolean;
  /** When it is looked at next, see `SilenceAgenda`; null = it is silent as far as anybody knows. */
  due: number | null;
  /** Listeners will be told. */
  changed: boolean;
}

export function noEvidence(): Evidence {
  return { lastSeenAt: null, heardAt: 0, claimsOnline: null, silent: true, due: null, changed: false };
}
