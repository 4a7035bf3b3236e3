import { createLoad, type Load } from '@smart-fire/simulators';

export interface DeviceLogin {
  id: string;
  secret: string;
}

/** Readings of one device by time (ms); the value belongs to the time. */
export type ReadingsByDevice = Map<string, Map<number, number>>;

interface Options {
  port: number;
  /** They publish readings… */
  devices: readonly DeviceLogin[];
  /** …at this many a second in all. */
  rate: number;
  /** They declare fires, one a second in all. */
  burning?: readonly DeviceLogin[];
}

/**
 * QoS 1 readings and fires from devices that send again, with DUP, what was not acknowledged before the connection broke; remembers exactly
 * what was sent and what was acknowledged.
 */
export class DurableLoad {
  readonly #readings: Load;
  readonly #fires: Load | null;
  readonly #sent: ReadingsByDevice = new Map();
  readonly #acknowledged: ReadingsByDevice = new Map();
  readonly #firesSent = new Map<string, number>();
  readonly #times: number[] = [];
  readonly #lastTimes = new Map<string, number>();
  #acknowledgedCount = 0;
  #waiting: (() => void)[] = [];

  constructor({ port, devices, rate, burning = [] }: Options) {
    for (const { id } of devices) {
      this.#sent.set(id, new Map());
      this.#acknowledged.set(id, new Map());
    }
    const shared = { host: '127.0.0.1', port };
    this.#readings = createLoad({
      ...shared,
      devices,
      connections: devices.length,
      inFlight: 16,
      rate,
      encode: (device, seq) => {
        const time = this.#time(device);
        this.#times[seq] = time;
        this.#sent.get(device)!.set(time, valueAt(time));
        return JSON.stringify({ ts: time, seq, values: { temperature: valueAt(time) } });
      },
      onAck: (device, seq) => {
        const time = this.#times[seq]!;
        this.#acknowledged.get(device)!.set(time, valueAt(time));
        this.#acknowledgedCount++;
        for (const check of this.#waiting) check();
      },
    });
    this.#fires =
      burning.length === 0
        ? null
        : createLoad({
            ...shared,
            devices: burning,
            connections: burning.length,
            inFlight: 4,
            rate: 1,
            channel: 'event',
            encode: (device, seq) => {
              this.#firesSent.set(device, this.firesOf(device) + 1);
              return JSON.stringify({ ts: this.#time(device), seq, event: 'fire' });
            },
          });
  }

  async start(): Promise<void> {
    await Promise.all([this.#readings.start(), this.#fires?.start()]);
  }

  get acknowledgedCount(): number {
    return this.#acknowledgedCount;
  }

  /** Resolves when `count` more readings have been acknowledged. */
  acknowledgedMore(count: number): Promise<void> {
    const enough = this.#acknowledgedCount + count;
    return new Promise((done) => {
      const check = () => {
        if (this.#acknowledgedCount < enough) return;
        this.#waiting = this.#waiting.filter((other) => other !== check);
        done();
      };
      this.#waiting.push(check);
      check();
    });
  }

  /** Stops publishing and waits until everything sent has been acknowledged; fails when something never was. */
  async finish(): Promise<void> {
    for (const report of await Promise.all([this.#readings.stop(30_000), this.#fires?.stop(30_000)]))
      if (report && report.inFlight > 0)
        throw new Error(`${report.inFlight} messages were never acknowledged: ${report.trouble}`);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#readings.stop(0), this.#fires?.stop(0)]);
  }

  /** What was acknowledged and is not stored with its value. */
  missingFrom(stored: ReadingsByDevice): string[] {
    return differences(this.#acknowledged, stored);
  }

  /** What is stored and was never sent like that. */
  notSentIn(stored: ReadingsByDevice): string[] {
    return differences(stored, this.#sent);
  }

  firesOf(device: string): number {
    return this.#firesSent.get(device) ?? 0;
  }

  burningDevices(): string[] {
    return [...this.#firesSent.keys()];
  }

  /** Every message of a device has a ms of its own. */
  #time(device: string): number {
    const time = Math.max(Date.now(), (this.#lastTimes.get(device) ?? 0) + 1);
    this.#lastTimes.set(device, time);
    return time;
  }
}

const valueAt = (time: number) => 20 + (time % 1000) / 100;

function differences(wanted: ReadingsByDevice, found: ReadingsByDevice): string[] {
  const list: string[] = [];
  for (const [device, readings] of wanted)
    for (const [time, value] of readings) {
      const other = found.get(device)?.get(time);
      if (other !== value) list.push(`${device} at ${time}: ${value}, found ${other}`);
    }
  return list;
}
