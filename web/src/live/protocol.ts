import { DEVICE_ID } from '@smart-fire/core';
import { z } from 'zod';

/** What a console may send. It may say hello again at any time, to watch other devices. */
export const helloMessage = z.object({
  type: z.literal('hello'),
  since: z.number().int().nonnegative().optional(),
  /** Devices whose statuses are wanted; absent = all in scope. */
  watch: z.array(z.string().regex(DEVICE_ID)).max(2000).optional(),
});

/** Why the server closes. 4000 to 4999 are for applications (RFC 6455, 7.4.2). */
export const CLOSE = {
  stopping: 1001,
  badMessage: 4400,
  loginEnded: 4401,
  rightsChanged: 4402,
  notReading: 4408,
} as const;

export const PING_EVERY_MS = 5000;
