/** Reads the one text it is sent, tells what it found, and ends. What it loads is paid for by every text: as little as may be. */
import { constants, setPriority } from 'node:os';
import { readRules } from './yaml-read.ts';

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
process.once('message', (text) => {
  process.send?.(readRules(String(text)), () => process.disconnect());
});
