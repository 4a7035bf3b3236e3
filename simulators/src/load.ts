import { systemClock } from '@smart-fire/core/node';
import { createLatencies, type LatencySummary } from './latencies.ts';
import { createLoadConnection, type LoadConnection } from './load-connection.ts';

interface LoadDevice {
  id: string;
  secret: string;
}

export interface LoadOptions {
  host: string;
  port: number;
  /** Connection i logs in as device i modulo their number, with a client id of its own. */
  devices: readonly LoadDevice[];
  connections: number;
  /** Unacknowledged messages a connection may have. */
  inFlight: number;
  /** Messages per second over all connections; null = as fast as acknowledgements come back. */
  rate: number | null;
  /** Payload of a device's message number `seq` (dense from 0 over the whole load). Left out: one temperature reading with `ts` and `seq`. */
  encode?: (device: string, seq: number) => string;
  /** `telemetry` when left out. */
  channel?: 'telemetry' | 'event';
  /** Called for every PUBACK. */
  onAck?: (device: string, seq: number, latencyMs: number) => void;
}

export interface LoadReport {
  connected: number;
  /** First transmissions; `resent` are those repeated with DUP after a reconnect. */
  sent: number;
  resent: number;
  acknowledged: number;
  inFlight: number;
  reconnects: number;
  /** Last reason why a connection was refused or broke. */
  trouble: string | null;
  seconds: number;
  /** Share of one core this process used since start. */
  cpu: number;
  latency: LatencySummary;
}

/** A generator of QoS 1 PUBLISH packets on plain sockets, cheap enough to leave the machine to the server it loads. */
export interface Load {
  /** Resolves when every connection has been accepted once. Sending has begun by then. */
  start(): Promise<void>;
  /** Sends nothing more, waits at most `drainMs` (2 s) for acknowledgements, disconnects. */
  stop(drainMs?: number): Promise<LoadReport>;
  report(): LoadReport;
}

const PACE_MS = 5;

/** Default payload: 16 to 17 significant digits are nobody's sensor; one decimal is. */
function temperature(_device: string, seq: number): string {
  return `{"ts":${systemClock.now()},"seq":${seq},"values":{"temperature":${(seq % 400) / 10}}}`;
}

export function createLoad(options: LoadOptions): Load {
  const encode = options.encode ?? temperature;
  const latencies = createLatencies();
  const connections: LoadConnection[] = [];
  let startedAt = 0;
  let cpuAtStart = process.cpuUsage();
  let seq = 0;
  let acknowledged = 0;
  let stopping = false;
  let pacer: NodeJS.Timeout | null = null;

  const saturated = options.rate === null;

  function pump(connection: LoadConnection, most: number): number {
    const count = Math.min(most, connection.room);
    for (let index = 0; index < count; index += 1) {
      const number = seq++;
      connection.publish(number, encode(connection.device, number));
    }
    connection.flush();
    return count;
  }

  function pace(): void {
    // Owed since the start, shared evenly: what a full connection cannot take stays owed.
    let owed = Math.floor(((performance.now() - startedAt) / 1000) * options.rate!) - seq;
    const share = Math.max(1, Math.ceil(owed / connections.length));
    const first = seq % connections.length;
    for (let index = 0; index < connections.length && owed > 0; index += 1)
      owed -= pump(connections[(first + index) % connections.length]!, Math.min(share, owed));
  }

  function report(): LoadReport {
    const seconds = (performance.now() - startedAt) / 1000;
    const cpu = process.cpuUsage(cpuAtStart);
    const sum = (pick: (connection: LoadConnection) => number) =>
      connections.reduce((total, connection) => total + pick(connection), 0);
    return {
      connected: sum((connection) => (connection.ready ? 1 : 0)),
      sent: seq,
      resent: sum((connection) => connection.resent),
      acknowledged,
      inFlight: sum((connection) => connection.inFlight),
      reconnects: sum((connection) => connection.reconnects),
      trouble: connections.find((connection) => connection.trouble !== null)?.trouble ?? null,
      seconds,
      cpu: (cpu.user + cpu.system) / 1e6 / seconds,
      latency: latencies.summary(),
    };
  }

  return {
    async start() {
      startedAt = performance.now();
      cpuAtStart = process.cpuUsage();
      for (let index = 0; index < options.connections; index += 1) {
        const device = options.devices[index % options.devices.length]!;
        connections.push(
          createLoadConnection({
            host: options.host,
            port: options.port,
            device: device.id,
            secret: device.secret,
            clientId: `${device.id}-load-${index}`,
            channel: options.channel ?? 'telemetry',
            inFlight: options.inFlight,
            onAck(number, latencyMs) {
              acknowledged += 1;
              latencies.add(latencyMs);
              options.onAck?.(device.id, number, latencyMs);
            },
            onRoom(connection) {
              if (saturated && !stopping) pump(connection, connection.room);
            },
          }),
        );
      }
      await Promise.all(connections.map((connection) => connection.open()));
      startedAt = performance.now();
      cpuAtStart = process.cpuUsage();
      if (saturated) for (const connection of connections) pump(connection, connection.room);
      else pacer = setInterval(pace, PACE_MS);
    },
    async stop(drainMs = 2000) {
      stopping = true;
      if (pacer) clearInterval(pacer);
      const deadline = performance.now() + drainMs;
      while (performance.now() < deadline && connections.some((connection) => connection.inFlight > 0))
        await new Promise((resolve) => setTimeout(resolve, 10));
      const final = report();
      await Promise.all(connections.map((connection) => connection.close()));
      return final;
    },
    report,
  };
}
