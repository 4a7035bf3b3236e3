import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { createWebSocketStream, type WebSocket } from 'ws';
import { type Transport, transportOf } from './transport.ts';

/** Certificate and key in PEM; with `clientCa` devices may log in with certificates it has signed. */
export interface TlsFiles {
  cert: string | Buffer;
  key: string | Buffer;
  clientCa?: string | Buffer | undefined;
}

interface Origin {
  remote: string;
  certificateName: string | null;
}

export type Accept = (transport: Transport, origin: Origin) => void;

const HANDSHAKE_MS = 10_000;
/** Unsupported data (RFC 6455 §7.4.1): MQTT travels in binary frames [MQTT-6.0.0-1]. */
const WS_UNSUPPORTED = 1003;

/** A listener that keeps reading after the client has said its last: what it sent before is still taken. */
export function tcpListener(accept: Accept, maxConnections: number): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket: Socket) => {
    const { remoteAddress: remote = '' } = socket;
    accept(transportOf(socket), { remote, certificateName: null });
  });
  server.maxConnections = maxConnections;
  return server;
}

export function tlsListener(accept: Accept, files: TlsFiles, maxConnections: number): Server {
  const server = createTlsServer(
    {
      cert: files.cert,
      key: files.key,
      ...(files.clientCa !== undefined && { ca: files.clientCa, requestCert: true }),
      // A device without a certificate has its secret.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_MS,
      allowHalfOpen: true,
      noDelay: true,
    },
    (socket) =>
      accept(transportOf(socket), { remote: socket.remoteAddress ?? '', certificateName: certificateName(socket) }),
  );
  server.maxConnections = maxConnections;
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

export function acceptWebSocket(accept: Accept, ws: WebSocket, request: IncomingMessage): void {
  const stream = createWebSocketStream(ws, { allowHalfOpen: true });
  ws.on('message', (_data, isBinary) => {
    if (!isBinary) ws.close(WS_UNSUPPORTED, 'binary frames only');
  });
  accept(transportOf(stream), { remote: request.socket.remoteAddress ?? '', certificateName: null });
}

export async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Stops taking connections; those there are are ended by the guard. */
export async function close(server: Server): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

/** The certificate's CN, if our client CA has signed it and it has exactly one. */
function certificateName(socket: TLSSocket): string | null {
  if (!socket.authorized) return null;
  const name: string | string[] | undefined = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? name : null;
}
