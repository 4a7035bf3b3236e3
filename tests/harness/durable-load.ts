import { connect, type MqttClient } from 'mqtt';

export interface DeviceLogin {
  id: string;
  secret: string;
}

/** Readings of one device by time (ms); the value belongs to the time. */
export type ReadingsByDevice = Map<string, Map<number, number>>;

/**
 * QoS 1 readings from many devices over a foreign client (mqtt.js, which repeats what was not acknowledged after a reconnect), remembering
 * exactly what was sent and what was acknowledged.
 */
export class DurableLoad {
  readonly #options: { port: number; devices: DeviceLogin[]; rate: number };
  readonly #clients = new Map<string, MqttClient>();
  readonly #sent: ReadingsByDevice = new Map();
  readonly #acknowledged: ReadingsByDevice = new Map();
  readonly #fires = new Map<string, number>();
  #open = 0;
  #acknowledgedCount = 0;
  readonly #lastTimes = new Map<string, number>();
  #seq = 0;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: { port: number; devices: DeviceLogin[]; rate: number }) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { port, devices, rate } = this.#options;
    for (const { id, secret } of devices) {
      const client = connect({
        host: '127.0.0.1',
        port,
        username: id,
        password: secret,
        clientId: id,
        clean: false,
        reconnectPeriod: 200,
        connectTimeout: 5_000,
      });
      client.on('error', () => {});
      this.#clients.set(id, client);
      this.#sent.set(id, new Map());
      this.#acknowledged.set(id, new Map());
    }
    const began = performance.now();
    let published = 0;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - began) / 1000) * rate;
      // While the server is down devices go on measuring, but no more than they can keep.
      for (; published < due; published++)
        if (this.#open < rate * 4) this.#publish(devices[published % devices.length]!.id);
    }, 10);
  }

  /** Resolves when `count` more readings have been acknowledged. */
  async acknowledgedMore(count: number): Promise<void> {
    const until = this.#acknowledgedCount + count;
    await this.#when(() => this.#acknowledgedCount >= until);
  }

  /** A fire, declared by the device itself. */
  fire(device: string): void {
    this.#fires.set(device, (this.#fires.get(device) ?? 0) + 1);
    this.#send(device, 'event', { ts: this.#time(device), seq: ++this.#seq, event: 'fire' }, () => {});
  }

  /** Stops publishing and waits until everything sent has been acknowledged. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    await this.#when(() => this.#open === 0);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#clients.values()].map((client) => client.endAsync(true)));
  }

  /** What was acknowledged and is not stored with its value. */
  missingFrom(stored: ReadingsByDevice): string[] {
    return differences(this.#acknowledged, stored);
  }

  /** What is stored and was never sent like that. */
  notSentIn(stored: ReadingsByDevice): string[] {
    return differences(stored, this.#sent);
  }

  firedDevices(): string[] {
    return [...this.#fires.keys()];
  }

  firesOf(device: string): number {
    return this.#fires.get(device) ?? 0;
  }

  #publish(device: string): void {
    const time = this.#time(device);
    const value = 20 + (time % 1000) / 100;
    this.#sent.get(device)!.set(time, value);
    this.#send(device, 'telemetry', { ts: time, seq: ++this.#seq, values: { temperature: value } }, () => {
      this.#acknowledged.get(device)!.set(time, value);
      this.#acknowledgedCount++;
    });
  }

  #send(device: string, channel: string, payload: object, acknowledged: () => void): void {
    this.#open++;
    this.#clients
      .get(device)!
      .publish(
        `smartfire/v1/${device}/${channel}`,
        JSON.stringify(payload),
        { qos: 1 },
        (error?: Error | null, packet?: unknown) => {
          this.#open--;
          if (!error && packet) acknowledged();
          for (const check of this.#waiting) check();
        },
      );
  }

  /** Every message of a device has a ms of its own. */
  #time(device: string): number {
    const time = Math.max(Date.now(), (this.#lastTimes.get(device) ?? 0) + 1);
    this.#lastTimes.set(device, time);
    return time;
  }

  #when(condition: () => boolean): Promise<void> {
    return new Promise((done) => {
      const check = () => {
        if (!condition()) return;
        this.#waiting = this.#waiting.filter((other) => other !== check);
        done();
      };
      this.#waiting.push(check);
      check();
    });
  }
}

function differences(wanted: ReadingsByDevice, found: ReadingsByDevice): string[] {
  const list: string[] = [];
  for (const [device, readings] of wanted)
    for (const [time, value] of readings) {
      const other = found.get(device)?.get(time);
      if (other !== value) list.push(`${device} at ${time}: ${value}, found ${other}`);
    }
  return list;
}
