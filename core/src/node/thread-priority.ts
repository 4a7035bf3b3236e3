import { setPriority } from 'node:os';

/** Nice of threads whose work can wait a moment. */
const BEHIND = 5;

/**
 * To be called in a worker thread: where there are few cores, the thread that answers devices and people comes first. On Linux a thread
 * has a priority of its own (0 = the calling one, setpriority(2)); elsewhere it is the process', which stays as it is.
 */
export function stepBehindMain(): void {
  if (process.platform === 'linux') setPriority(0, BEHIND);
}
