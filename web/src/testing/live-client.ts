import { WebSocket } from 'ws';

/** What came over one live connection, applied as a console does. */
export class LiveClient {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly messages: any[] = [];
  // biome-ignore lint/suspicious/noExplicitAny: same
  readonly alarms = new Map<string, any>();
  // biome-ignore lint/suspicious/noExplicitAny: same
  readonly devices = new Map<string, any>();
  seq = 0;
  outOfStep = 0;
  closed: number | null = null;
  /** HTTP status of a refused upgrade. */
  refused: number | null = null;
  readonly socket: WebSocket;

  constructor(port: number, headers: Record<string, string>, hello: object | null = { type: 'hello' }) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/live`, { headers, perMessageDeflate: false });
    this.socket.on('open', () => hello && this.say(hello));
    this.socket.on('message', (data) => this.#hear(JSON.parse(String(data))));
    this.socket.on('close', (code) => {
      this.closed = code;
    });
    this.socket.on('unexpected-response', (_request, response) => {
      this.refused = response.statusCode ?? 0;
      response.resume();
    });
    this.socket.on('error', () => undefined);
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  types(): string[] {
    return this.messages.map(({ type }) => type);
  }

  // biome-ignore lint/suspicious/noExplicitAny: same
  #hear(message: any): void {
    this.messages.push(message);
    if (message.type === 'snapshot') {
      this.alarms.clear();
      this.devices.clear();
      for (const alarm of message.alarms) this.alarms.set(alarm.id, alarm);
      for (const device of message.devices) this.devices.set(device.device, device);
      this.seq = message.seq;
    } else if (message.type === 'patch') {
      if (message.from !== this.seq) this.outOfStep++;
      this.seq = message.seq;
      for (const { entity, id, value } of message.changes) {
        const things = entity === 'alarm' ? this.alarms : this.devices;
        if (entity === 'health') continue;
        if (value === null || value.state === 'closed') things.delete(id);
        else things.set(id, value);
      }
    }
  }
}
