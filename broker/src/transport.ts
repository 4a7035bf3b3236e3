import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What a connection reads from and writes to. */
export interface Transport {
  readonly stream: Duplex;
  /** Reads from now on. The first `length` of `bytes` have come; they are the listener's only until it returns. */
  onRead(listener: Listener): void;
}

type Listener = (bytes: Buffer, length: number) => void;

export function transportOf(stream: Duplex): Transport {
  return {
    stream,
    onRead(listener) {
      // What has come before, and all there is of what does not read into the shared buffer.
      stream.on('data', (chunk: Buffer) => listener(chunk, chunk.length));
      if (stream instanceof Socket) readShared(stream as SocketInside, listener);
      // One that was paused when it was accepted does not begin by itself.
      stream.resume();
    },
  };
}

/** What all sockets read into: each read is taken over before the next one. */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);

interface SocketInside extends Socket {
  _handle?: { useUserBuffer?: (buffer: Buffer) => void } | null;
  [part: symbol]: unknown;
}

/** Where a socket keeps what its option `onread` sets. */
const INSIDE = Object.getOwnPropertySymbols(new Socket());
const BUFFER = INSIDE.find(({ description }) => description === 'kBuffer');
const CALLBACK = INSIDE.find(({ description }) => description === 'kBufferCb');

/**
 * By itself Node allocates for each read, over TCP 64 KiB that are cut down to what has come; with one message a read that costs more than
 * all that is done with it here. The option `onread` is how sockets read into one buffer, but only those that connect are given it: to an
 * accepted one, plain or TLS, it is given here. Where Node no longer keeps it like this, the socket is read as any stream.
 */
function readShared(socket: SocketInside, listener: Listener): void {
  const { _handle: handle } = socket;
  if (!BUFFER || !CALLBACK || typeof handle?.useUserBuffer !== 'function') return;
  socket[BUFFER] = SHARED;
  socket[CALLBACK] = (length: number) => {
    listener(SHARED, length);
    return true;
  };
  handle.useUserBuffer(SHARED);
}
