import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';

/** What a connection reads from and writes to. */
export interface Transport {
  readonly stream: Duplex;
  /** Reads from now on. The first `length` of `bytes` have come; they are the listener's only until it returns. */
  onRead(listener: (bytes: Buffer, length: number) => void): void;
}

export function streamTransport(stream: Duplex): Transport {
  return {
    stream,
    onRead(listener) {
      stream.on('data', (chunk: Buffer) => listener(chunk, chunk.length));
      // One that was paused when it was accepted does not begin by itself.
      stream.resume();
    },
  };
}

/** What all sockets read into: each read is taken over before the next one. */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);

interface WithHandle {
  _handle?: { useUserBuffer?: unknown } | null;
}

/**
 * An accepted socket that has not begun to read. By itself Node allocates 64 KiB for each read and cuts them down to what has come; with one
 * message a read that costs more than all that is done with it here. `onread` is how sockets read into one buffer, but only those that
 * connect are given it, so the handle goes on in a second one. Where Node has no such handle any more, the socket is read as any stream.
 */
export function socketTransport(accepted: Socket): Transport {
  const { _handle: handle } = accepted as WithHandle;
  if (typeof handle?.useUserBuffer !== 'function') return streamTransport(accepted);
  let listener: ((bytes: Buffer, length: number) => void) | null = null;
  const options = {
    handle,
    allowHalfOpen: accepted.allowHalfOpen,
    onread: {
      buffer: SHARED,
      callback(length: number) {
        listener?.(SHARED, length);
        return true;
      },
    },
  };
  (accepted as WithHandle)._handle = null;
  const stream = new Socket(options as unknown as SocketConstructorOpts);
  // The server counts the one it has accepted.
  stream.once('close', () => accepted.destroy());
  return {
    stream,
    onRead(to) {
      listener = to;
      stream.resume();
    },
  };
}
