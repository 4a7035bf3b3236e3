import { DEVICE_ID } from '@smart-fire/core';
import { z } from 'zod';
import { allowed, callerOf } from '../access/caller.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { fromCursor, listOf, page, toCursor } from '../schemas/list.ts';
import { deadLetter } from '../schemas/things.ts';

export function addDeadLetterRoutes(app: App, { journal, registry }: Context): void {
  app.get(
    '/api/v1/dead-letters',
    {
      config: { permission: 'device.raw.read' },
      schema: {
        summary: 'What devices sent and we could not take, newest first',
        querystring: z.strictObject({ ...page, device: z.string().regex(DEVICE_ID).optional() }),
        response: answers(200, listOf(deadLetter)),
      },
    },
    async (request) => {
      const { scope } = callerOf(request).person;
      const { device, cursor, limit } = request.query;
      let devices: string[] | undefined;
      if (device !== undefined) {
        const found = registry.devices.get(device);
        // Letters outlive their device; then only those who see the whole tree see them.
        if (found || scope !== '/') allowed(request, 'device.raw.read', found, found?.path ?? '', 'device', device);
        devices = [device];
      } else if (scope !== '/') {
        devices = [...registry.devices.values()].filter(({ path }) => path.startsWith(scope)).map(({ id }) => id);
      }
      const before = fromCursor(cursor, z.number().int());
      const found = await journal.deadLetters({
        ...(devices ? { devices } : {}),
        ...(before === undefined ? {} : { before }),
        limit: limit + 1,
      });
      const items = found.slice(0, limit);
      return { items, next: found.length > limit ? toCursor(items.at(-1)!.id) : null };
    },
  );
}
