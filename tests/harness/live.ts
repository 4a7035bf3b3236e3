import type { Alarm } from '@smart-fire/core';
import { WebSocket } from 'ws';
import type { Api } from './api.ts';

interface Change {
  entity: string;
  id: string;
  value: unknown;
}

type Message =
  | { type: 'snapshot'; seq: number; alarms: Alarm[]; devices: { device: string }[] }
  | { type: 'patch'; from: number; seq: number; changes: Change[] }
  | { type: 'ping' | 'resync'; seq: number };

/** A console without a screen: `/api/v1/live`, with what it would show in maps. */
export class Live {
  readonly alarms = new Map<string, Alarm>();
  readonly devices = new Map<string, unknown>();
  readonly messages: Message[] = [];
  readonly #socket: WebSocket;
  #closed: { code: number } | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(JSON.parse(String(data)) as Message));
    socket.on('close', (code) => {
      this.#closed = { code };
    });
    socket.on('error', () => {});
  }

  /** Connected and asked for a snapshot with the values of these devices. */
  static async connect(api: Api, watch: string[] = []): Promise<Live> {
    const url = new URL('/api/v1/live', api.url);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url, { headers: api.headers });
    const live = new Live(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) =>
        reject(new Error(`live answered ${response.statusCode}`)),
      );
    });
    socket.send(JSON.stringify({ type: 'hello', watch }));
    return live;
  }

  get closed(): { code: number } | null {
    return this.#closed;
  }

  alarmOf(device: string): Alarm | undefined {
    return [...this.alarms.values()].find((alarm) => alarm.device === device);
  }

  close(): void {
    this.#socket.close();
  }

  #receive(message: Message): void {
    this.messages.push(message);
    if (message.type === 'snapshot') {
      this.alarms.clear();
      for (const alarm of message.alarms) this.alarms.set(alarm.id, alarm);
      for (const device of message.devices) this.devices.set(device.device, device);
    } else if (message.type === 'patch')
      for (const { entity, id, value } of message.changes) {
        const map: Map<string, unknown> | null =
          entity === 'alarm' ? this.alarms : entity === 'device' ? this.devices : null;
        if (value === null) map?.delete(id);
        else map?.set(id, value);
      }
  }
}
