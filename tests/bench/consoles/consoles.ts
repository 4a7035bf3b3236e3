// Watching consoles, a process of their own: a server is not to wait for those who parse its frames.
import { WebSocket } from 'ws';
import { monotonic } from '../monotonic.ts';
import { answerCalls } from '../process-call.ts';

export interface ConsolesOrder {
  url: string;
  token: string | null;
  count: number;
  /** Devices whose values the first console shows. */
  watch: string[];
}

/** An alert at a console: `n` is how often its alarm was raised so far, or the `seq` that a flow without alarms hands on. */
export interface Arrival {
  device: string;
  n: number;
  /** `monotonic` ms. */
  at: number;
}

export type ConsolesFunctions = {
  open(order: ConsolesOrder): Promise<void>;
  /** Arrivals at the first console since the last call. */
  take(argument: null): Arrival[];
  /** How often the alarm of each device was raised so far, as the first console knows it; faults (devices silent between measurements) aside. */
  counts(argument: null): Map<string, number>;
  /** How many alarms the first console knows. */
  alarms(argument: null): number;
  /** Resolves when the first console holds so many open alarms and every other has everything that the first one has. */
  holding(order: { alarms: number; withinMs: number }): Promise<{ alarms: number; consoles: number }>;
  /** ms from asking for a snapshot to its last frame, at a further console. */
  snapshot(order: { url: string; token: string; alarms: number }): Promise<number>;
  close(argument: null): void;
};

interface Change {
  entity: string;
  id: string;
  value: { id: string; device: string; class: string; count: number } | null;
}

interface Frame {
  type?: string;
  seq: number;
  alarms?: NonNullable<Change['value']>[];
  changes?: Change[];
  device?: string;
}

const sockets: WebSocket[] = [];
/** The last frame's number at each console. */
const seqs: number[] = [];
let counts = new Map<string, number>();
let known = new Set<string>();
let arrivals: Arrival[] = [];
let waiting: (() => void) | null = null;

function connect(url: string, token: string | null): Promise<WebSocket> {
  const socket = new WebSocket(url, token ? { headers: { authorization: `Bearer ${token}` } } : {});
  return new Promise((done, fail) => {
    socket.once('open', () => done(socket));
    socket.once('error', fail);
  });
}

/** The first console reads everything. */
function read(text: string): void {
  const at = monotonic();
  const frame = JSON.parse(text) as Frame;
  if (frame.device !== undefined) arrivals.push({ device: frame.device, n: frame.seq, at });
  for (const alarm of frame.alarms ?? []) learn(alarm, at);
  for (const { entity, value } of frame.changes ?? []) if (entity === 'alarm' && value) learn(value, at);
}

function learn(alarm: NonNullable<Change['value']>, at: number): void {
  known.add(alarm.id);
  if (alarm.class === 'fault') return;
  const { device, count } = alarm;
  if (count > (counts.get(device) ?? 0)) arrivals.push({ device, n: count, at });
  counts.set(device, count);
}

/** The others look no further than the number, which stands at the head of a frame. */
const seqOf = (frame: Buffer) => Number(/"seq":(\d+)/.exec(frame.toString('latin1', 0, 96))?.[1] ?? 0);

async function open({ url, token, count, watch }: ConsolesOrder): Promise<void> {
  for (let index = 0; index < count; index++) {
    const socket = await connect(url, token);
    seqs[index] = 0;
    socket.on('message', (data: Buffer) => {
      if (index === 0) read(String(data));
      seqs[index] = Math.max(seqs[index]!, seqOf(data));
      waiting?.();
    });
    if (token) socket.send(JSON.stringify({ type: 'hello', watch: index === 0 ? watch : [] }));
    sockets.push(socket);
  }
}

function holding({ alarms, withinMs }: { alarms: number; withinMs: number }) {
  return new Promise<{ alarms: number; consoles: number }>((done) => {
    const level = () => seqs.filter((seq) => seq >= seqs[0]!).length;
    const finish = () => {
      clearTimeout(timer);
      waiting = null;
      done({ alarms: known.size, consoles: level() });
    };
    const timer = setTimeout(finish, withinMs);
    waiting = () => known.size >= alarms && level() === seqs.length && finish();
    waiting();
  });
}

async function snapshot({ url, token, alarms }: { url: string; token: string; alarms: number }): Promise<number> {
  const socket = await connect(url, token);
  const began = performance.now();
  let held = 0;
  const took = await new Promise<number>((done, fail) => {
    socket.on('close', () => fail(new Error('the console was closed')));
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      held += frame.alarms?.length ?? 0;
      for (const { entity } of frame.changes ?? []) if (entity === 'alarm') held++;
      if (held >= alarms) done(performance.now() - began);
    });
    socket.send(JSON.stringify({ type: 'hello', watch: [] }));
  });
  socket.removeAllListeners('close');
  socket.terminate();
  return took;
}

answerCalls({
  open,
  holding,
  snapshot,
  take() {
    const taken = arrivals;
    arrivals = [];
    return taken;
  },
  counts: () => counts,
  alarms: () => known.size,
  close() {
    for (const socket of sockets.splice(0)) socket.terminate();
    seqs.length = 0;
    counts = new Map();
    known = new Set();
    arrivals = [];
  },
} satisfies ConsolesFunctions);
