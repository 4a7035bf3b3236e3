import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { FireError } from '@smart-fire/core';
import { WebSocketServer } from 'ws';
import type { Context } from '../server/context.ts';
import { identify, isOwnOrigin } from '../server/plugins/authentication.ts';
import { languageOf, toProblem } from '../server/plugins/errors.ts';
import { noun } from '../server/words.ts';
import type { Consoles } from './consoles.ts';

/** A hello that watches 2,000 devices with the longest ids. */
const HELLO_MAX = 160 * 1024;

/** Both WebSockets of the web port: consoles at `/api/v1/live`, MQTT at `/mqtt`. Refused ones get a problem, not a silent reset. */
export function createUpgrade(context: Context, consoles: Consoles) {
  const noServer = { noServer: true, perMessageDeflate: false } as const;
  const live = new WebSocketServer({ ...noServer, maxPayload: HELLO_MAX });
  // A packet and its header; the broker has its own guard on packets.
  const maxPayload = context.config.MQTT_MAX_PACKET + 1024;
  const mqtt = new WebSocketServer({ ...noServer, maxPayload, handleProtocols: () => 'mqtt' });

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Between here and the handshake nobody else listens.
    const onError = () => socket.destroy();
    socket.on('error', onError);
    try {
      const path = request.url?.split('?')[0];
      if (path === '/mqtt') {
        const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
        if (!offered.includes('mqtt'))
          throw new FireError('FIRE_REQUEST_INVALID', { problems: 'Sec-WebSocket-Protocol: mqtt' });
        socket.off('error', onError);
        mqtt.handleUpgrade(request, socket, head, (ws) => context.mqttUpgrade(ws, request));
      } else if (path === '/api/v1/live') {
        if (!request.headers.authorization && !isOwnOrigin(context, request))
          throw new FireError('FIRE_ORIGIN_REFUSED');
        const caller = identify(context, request);
        if (!caller) throw new FireError('FIRE_LOGIN_REQUIRED');
        socket.off('error', onError);
        live.handleUpgrade(request, socket, head, (ws) => consoles.add(ws, caller));
      } else {
        throw new FireError('FIRE_NOT_FOUND', { what: noun('path', path) });
      }
    } catch (error) {
      refuse(socket, request, error);
    }
  };
  const stop = () => {
    for (const client of mqtt.clients) client.terminate();
  };
  return { upgrade, stop };
}

function refuse(socket: Duplex, request: IncomingMessage, error: unknown): void {
  const problem = toProblem(error, languageOf(request.headers['accept-language']), '');
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
