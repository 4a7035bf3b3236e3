import { FireError, type Site } from '@smart-fire/core';
import { z } from 'zod';
import { actorOf, allowed, callerOf } from '../access/caller.ts';
import { randomId } from '../access/secret.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { byKey, id, listOf, name, page, pageOf } from '../schemas/list.ts';
import { site } from '../schemas/things.ts';
import { places } from '../store/places.ts';
import { noun } from '../words.ts';

const params = z.object({ id });
const address = z.string().trim().max(500);
const contacts = z
  .array(
    z.strictObject({
      name: z.string().trim().min(1).max(100),
      post: z.string().trim().max(100).default(''),
      telephone: z.string().trim().min(1).max(50),
    }),
  )
  .max(50);

export function addSiteRoutes(app: App, context: Context): void {
  const { registry, ruleBook, credentials } = context;

  app.get(
    '/api/v1/sites',
    {
      config: { permission: 'site.read' },
      schema: {
        summary: 'Sites in my scope',
        querystring: z.strictObject({
          ...page,
          area: id.optional().describe('Only those below this area'),
          q: z.string().max(200).optional().describe('Part of the id, name or address'),
        }),
        response: answers(200, listOf(site)),
      },
    },
    async (request) => {
      const { scope } = callerOf(request).person;
      const { area, q, cursor, limit } = request.query;
      const below = area === undefined ? '/' : (registry.areas.get(area)?.path ?? null);
      const found = [...registry.sites.values()].filter(
        ({ id, name, address, path }) =>
          path.startsWith(scope) &&
          below !== null &&
          path.startsWith(below) &&
          (q === undefined || [id, name, address].some((text) => text.includes(q))),
      );
      const key = (item: Site) => item.id;
      return pageOf(found.sort(byKey(key)), key, cursor, limit);
    },
  );

  app.post(
    '/api/v1/sites',
    {
      config: { permission: 'site.write' },
      schema: {
        summary: 'Add a site to an area',
        body: z.strictObject({
          id: id.optional(),
          area: id,
          name,
          address: address.default(''),
          contacts: contacts.default([]),
        }),
        response: answers(201, site),
      },
    },
    async (request, reply) => {
      const above = registry.areas.get(request.body.area);
      const { path } = allowed(request, 'site.write', above, above?.path ?? '', 'area', request.body.area);
      const newId = request.body.id ?? randomId('site');
      // Areas and sites share the tree's paths.
      const taken = registry.sites.has(newId) || registry.areas.has(newId);
      if (taken || ruleBook.namesElsewhere('site', newId, callerOf(request).person.scope))
        throw new FireError('FIRE_ALREADY_EXISTS', { what: noun('site', newId) });
      const made: Site = { ...request.body, id: newId, path: `${path}${newId}/` };
      await places.putSite(context, actorOf(callerOf(request)), made, 'create');
      return reply.status(201).send(made);
    },
  );

  app.get(
    '/api/v1/sites/:id',
    { config: { permission: 'site.read' }, schema: { summary: 'One site', params, response: answers(200, site) } },
    async (request) => {
      const found = registry.sites.get(request.params.id);
      return allowed(request, 'site.read', found, found?.path ?? '', 'site', request.params.id);
    },
  );

  app.patch(
    '/api/v1/sites/:id',
    {
      config: { permission: 'site.write' },
      schema: {
        summary: 'Change a site',
        params,
        body: z.strictObject({
          name: name.exactOptional(),
          address: address.exactOptional(),
          contacts: contacts.exactOptional(),
        }),
        response: answers(200, site),
      },
    },
    async (request) => {
      const found = registry.sites.get(request.params.id);
      const before = allowed(request, 'site.write', found, found?.path ?? '', 'site', request.params.id);
      const after: Site = { ...before, ...request.body };
      await places.putSite(context, actorOf(callerOf(request)), after, 'update');
      return after;
    },
  );

  app.delete(
    '/api/v1/sites/:id',
    {
      config: { permission: 'site.write' },
      schema: { summary: 'Remove an empty site', params, response: answers(204, z.undefined()) },
    },
    async (request, reply) => {
      const found = registry.sites.get(request.params.id);
      const { id, path } = allowed(request, 'site.write', found, found?.path ?? '', 'site', request.params.id);
      const inUse = (holds: 'devices' | 'zones' | 'people' | 'alarms') =>
        new FireError('FIRE_STILL_IN_USE', { what: noun('site', id), holds: noun(holds) });
      for (const device of registry.devices.values()) if (device.site === id) throw inUse('devices');
      for (const zone of registry.zones.values()) if (zone.site === id) throw inUse('zones');
      if (context.book.unclosed().some((alarm) => alarm.site === id)) throw inUse('alarms');
      if (credentials.people().some((person) => person.scope === path)) throw inUse('people');
      await places.remove(context, actorOf(callerOf(request)), 'site', id, path);
      return reply.status(204).send();
    },
  );
}
