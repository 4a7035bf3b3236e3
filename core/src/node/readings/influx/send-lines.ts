import { LinesRefused } from './influx-http.ts';

/**
 * Sends lines until each is stored or refused for good. Writing a line twice changes nothing, so what a refusal leaves open is sent
 * again without the lines it names; where it names none, the halves are tried. Returns the refused lines' indices and the server's words.
 */
export async function sendLines(
  lines: string[],
  write: (lines: string[]) => Promise<void>,
): Promise<Map<number, string>> {
  const refused = new Map<number, string>();
  const send = async (indices: number[]): Promise<void> => {
    if (indices.length === 0) return;
    try {
      await write(indices.map((index) => lines[index]!));
    } catch (error) {
      if (!(error instanceof LinesRefused)) throw error;
      const words = error.message.slice(0, 500);
      const named = namedLines(error.message);
      const bad =
        indices.length === 1 || droppedCount(error.message) === indices.length
          ? indices
          : indices.filter((index) => named.has(lines[index]!));
      for (const index of bad) refused.set(index, words);
      if (bad.length > 0) {
        await send(indices.filter((index) => !refused.has(index)));
        return;
      }
      const half = indices.length >> 1;
      await send(indices.slice(0, half));
      await send(indices.slice(half));
    }
  };
  await send(lines.map((_, index) => index));
  return refused;
}

/** `unable to parse '<line>': why`, once for each bad line. */
function namedLines(text: string): Set<string> {
  let message = text;
  try {
    const body = JSON.parse(text) as { error?: string; message?: string };
    message = body.error ?? body.message ?? text;
  } catch {
    // Not every server answers JSON.
  }
  return new Set(Array.from(message.matchAll(/unable to parse '(.*?)': /g), (match) => match[1]!));
}

/** `partial write: … dropped=N` */
function droppedCount(message: string): number {
  return Number(/dropped=(\d+)/.exec(message)?.[1] ?? 0);
}
