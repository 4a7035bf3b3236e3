/**
 * The seat's link to the server as a state chart without a socket or a clock in it.
 * `live`: a snapshot has come and messages follow without a gap. Everything else is stale: what is on screen is as of `heardAt`.
 */
export type LinkState = 'connecting' | 'syncing' | 'live' | 'waiting';

export interface Link {
  state: LinkState;
  /** Sequence number of the last message applied. */
  seq: number;
  /** When the server was last heard while in step (ms), null = never: the time the page's data are of. */
  heardAt: number | null;
  /** When the current try began (ms). */
  triedAt: number;
  /** When to try again (ms), in state `waiting`. */
  retryAt: number;
  /** Failed tries in a row. */
  failures: number;
}

export type LinkEvent =
  | { type: 'start' }
  | { type: 'opened' }
  | { type: 'closed' }
  | { type: 'snapshot'; seq: number }
  /** `from`: the sequence number it builds on. Numbers only grow; they are not dense. */
  | { type: 'patch'; from: number; seq: number }
  /** `seq`: what the server has sent so far. */
  | { type: 'ping'; seq: number }
  | { type: 'resync' }
  /** About once a second. */
  | { type: 'beat' };

/** `connect`: open a socket; `hello`: ask for a snapshot; `drop`: close the socket; `apply`: the message is in step, use it. */
export type LinkEffect = 'connect' | 'hello' | 'drop' | 'apply';

/** The server pings every 5 s; two missed pings make the page stale. */
export const SILENCE_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

export const initialLink: Link = { state: 'waiting', seq: 0, heardAt: null, triedAt: 0, retryAt: 0, failures: 0 };

export function stepLink(link: Link, event: LinkEvent, now: number): { link: Link; effects: LinkEffect[] } {
  const stay = { link, effects: [] };
  switch (event.type) {
    case 'start':
      return { link: { ...link, state: 'connecting', triedAt: now }, effects: ['connect'] };
    case 'opened':
      return { link: { ...link, state: 'syncing', triedAt: now }, effects: ['hello'] };
    case 'closed':
      return link.state === 'waiting' ? stay : { link: later(link, now), effects: [] };
    case 'snapshot':
      return { link: { ...link, state: 'live', seq: event.seq, heardAt: now, failures: 0 }, effects: ['apply'] };
    case 'patch':
      if (link.state !== 'live' || event.seq <= link.seq) return stay;
      if (event.from !== link.seq) return outOfStep(link, now);
      return { link: { ...link, seq: event.seq, heardAt: now }, effects: ['apply'] };
    case 'ping':
      if (link.state !== 'live') return stay;
      return event.seq === link.seq ? { link: { ...link, heardAt: now }, effects: [] } : outOfStep(link, now);
    case 'resync':
      return outOfStep(link, now);
    case 'beat':
      if (link.state === 'waiting') {
        return now >= link.retryAt
          ? { link: { ...link, state: 'connecting', triedAt: now }, effects: ['connect'] }
          : stay;
      }
      if (now - (link.state === 'live' ? link.heardAt! : link.triedAt) < SILENCE_MS) return stay;
      return { link: later(link, now), effects: ['drop'] };
  }
}

function outOfStep(link: Link, now: number): { link: Link; effects: LinkEffect[] } {
  return { link: { ...link, state: 'syncing', triedAt: now }, effects: ['hello'] };
}

/** Tries again after 0.5, 1, 2, 4, 8 and then every 10 s. */
function later(link: Link, now: number): Link {
  const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** link.failures);
  return { ...link, state: 'waiting', retryAt: now + wait, failures: link.failures + 1 };
}

/** True when what is on screen may no longer be so. */
export function isStale(link: Link): boolean {
  return link.state !== 'live';
}
