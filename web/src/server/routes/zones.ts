import { FireError, type Zone } from '@smart-fire/core';
import { z } from 'zod';
import { actorOf, allowed, callerOf } from '../access/caller.ts';
import { randomId } from '../access/secret.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { byKey, id, listOf, name, page, pageOf } from '../schemas/list.ts';
import { zone } from '../schemas/things.ts';
import { places } from '../store/places.ts';
import { noun } from '../words.ts';

const params = z.object({ id });

export function addZoneRoutes(app: App, context: Context): void {
  const { registry, ruleBook } = context;
  const pathOf = (zone: Zone | undefined) => (zone && registry.sites.get(zone.site)?.path) ?? '';

  app.get(
    '/api/v1/zones',
    {
      config: { permission: 'site.read' },
      schema: {
        summary: 'Zones of sites in my scope',
        querystring: z.strictObject({ ...page, site: id.optional() }),
        response: answers(200, listOf(zone)),
      },
    },
    async (request) => {
      const { scope } = callerOf(request).person;
      const { site, cursor, limit } = request.query;
      const found = [...registry.zones.values()].filter(
        (zone) => pathOf(zone).startsWith(scope) && (site === undefined || zone.site === site),
      );
      const key = (item: Zone) => item.id;
      return pageOf(found.sort(byKey(key)), key, cursor, limit);
    },
  );

  app.post(
    '/api/v1/zones',
    {
      config: { permission: 'site.write' },
      schema: {
        summary: 'Add a zone to a site',
        body: z.strictObject({ id: id.optional(), site: id, name }),
        response: answers(201, zone),
      },
    },
    async (request, reply) => {
      const { site, name } = request.body;
      const above = registry.sites.get(site);
      const { path } = allowed(request, 'site.write', above, above?.path ?? '', 'site', site);
      const made: Zone = { id: request.body.id ?? randomId('zone'), site, name };
      if (registry.zones.has(made.id) || ruleBook.namesElsewhere('zone', made.id, callerOf(request).person.scope))
        throw new FireError('FIRE_ALREADY_EXISTS', { what: noun('zone', made.id) });
      await places.putZone(context, actorOf(callerOf(request)), made, path, 'create');
      return reply.status(201).send(made);
    },
  );

  app.get(
    '/api/v1/zones/:id',
    { config: { permission: 'site.read' }, schema: { summary: 'One zone', params, response: answers(200, zone) } },
    async (request) => {
      const found = registry.zones.get(request.params.id);
      return allowed(request, 'site.read', found, pathOf(found), 'zone', request.params.id);
    },
  );

  app.patch(
    '/api/v1/zones/:id',
    {
      config: { permission: 'site.write' },
      schema: {
        summary: 'Rename a zone',
        params,
        body: z.strictObject({ name: name.exactOptional() }),
        response: answers(200, zone),
      },
    },
    async (request) => {
      const found = registry.zones.get(request.params.id);
      const before = allowed(request, 'site.write', found, pathOf(found), 'zone', request.params.id);
      const after: Zone = { ...before, ...request.body };
      await places.putZone(context, actorOf(callerOf(request)), after, pathOf(before), 'update');
      return after;
    },
  );

  app.delete(
    '/api/v1/zones/:id',
    {
      config: { permission: 'site.write' },
      schema: { summary: 'Remove a zone without devices', params, response: answers(204, z.undefined()) },
    },
    async (request, reply) => {
      const found = registry.zones.get(request.params.id);
      const { id } = allowed(request, 'site.write', found, pathOf(found), 'zone', request.params.id);
      for (const device of registry.devices.values())
        if (device.zone === id)
          throw new FireError('FIRE_STILL_IN_USE', { what: noun('zone', id), holds: noun('devices') });
      await places.remove(context, actorOf(callerOf(request)), 'zone', id, pathOf(found));
      return reply.status(204).send();
    },
  );
}
