import { AREA_LEVELS, type Area, FireError } from '@smart-fire/core';
import { z } from 'zod';
import { actorOf, allowed, callerOf } from '../access/caller.ts';
import { randomId } from '../access/secret.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { byKey, id, listOf, name, page, pageOf } from '../schemas/list.ts';
import { area } from '../schemas/things.ts';
import { places } from '../store/places.ts';
import { noun } from '../words.ts';
import { areaCode } from './user-fields.ts';

const params = z.object({ id });

export function addAreaRoutes(app: App, context: Context): void {
  const { registry, ruleBook, credentials } = context;

  const refuseTakenCode = (code: string | null, self?: string) => {
    if (code === null) return;
    for (const other of registry.areas.values())
      if (other.code === code && other.id !== self)
        throw new FireError('FIRE_ALREADY_EXISTS', { what: noun('area', code) });
  };

  app.get(
    '/api/v1/areas',
    {
      config: { permission: 'area.read' },
      schema: { summary: 'Areas in my scope', querystring: z.strictObject(page), response: answers(200, listOf(area)) },
    },
    async (request) => {
      const { scope } = callerOf(request).person;
      const found = [...registry.areas.values()].filter(({ path }) => path.startsWith(scope));
      const key = (item: Area) => item.id;
      return pageOf(found.sort(byKey(key)), key, request.query.cursor, request.query.limit);
    },
  );

  app.post(
    '/api/v1/areas',
    {
      config: { permission: 'area.write' },
      schema: {
        summary: 'Add an area under another, or a root',
        body: z.strictObject({
          id: id.optional(),
          parent: id.nullable(),
          level: z.enum(AREA_LEVELS),
          name,
          code: areaCode.nullable().default(null),
        }),
        response: answers(201, area),
      },
    },
    async (request, reply) => {
      const { parent, level, code, name } = request.body;
      const above = parent === null ? null : registry.areas.get(parent);
      const path = above === null ? '/' : (above?.path ?? '');
      allowed(request, 'area.write', above === null ? path : above, path, 'area', parent ?? '/');
      const newId = request.body.id ?? randomId('area');
      // Areas and sites share the tree's paths.
      const taken = registry.areas.has(newId) || registry.sites.has(newId);
      if (taken || ruleBook.namesElsewhere('area', newId, callerOf(request).person.scope))
        throw new FireError('FIRE_ALREADY_EXISTS', { what: noun('area', newId) });
      if (above && AREA_LEVELS.indexOf(level) <= AREA_LEVELS.indexOf(above.level))
        throw new FireError('FIRE_REQUEST_INVALID', { problems: `level: ${level} cannot lie under ${above.level}` });
      refuseTakenCode(code);
      const made: Area = { id: newId, parent, level, name, code, path: `${path}${newId}/` };
      await places.putArea(context, actorOf(callerOf(request)), made, 'create');
      return reply.status(201).send(made);
    },
  );

  app.get(
    '/api/v1/areas/:id',
    {
      config: { permission: 'area.read' },
      schema: { summary: 'One area', params, response: answers(200, area) },
    },
    async (request) => {
      const found = registry.areas.get(request.params.id);
      return allowed(request, 'area.read', found, found?.path ?? '', 'area', request.params.id);
    },
  );

  app.patch(
    '/api/v1/areas/:id',
    {
      config: { permission: 'area.write' },
      schema: {
        summary: 'Rename an area or set its code',
        params,
        body: z.strictObject({ name: name.exactOptional(), code: areaCode.nullable().exactOptional() }),
        response: answers(200, area),
      },
    },
    async (request) => {
      const found = registry.areas.get(request.params.id);
      const before = allowed(request, 'area.write', found, found?.path ?? '', 'area', request.params.id);
      const after: Area = { ...before, ...request.body };
      refuseTakenCode(after.code, after.id);
      await places.putArea(context, actorOf(callerOf(request)), after, 'update');
      return after;
    },
  );

  app.delete(
    '/api/v1/areas/:id',
    {
      config: { permission: 'area.write' },
      schema: { summary: 'Remove an empty area', params, response: answers(204, z.undefined()) },
    },
    async (request, reply) => {
      const found = registry.areas.get(request.params.id);
      const { id, path } = allowed(request, 'area.write', found, found?.path ?? '', 'area', request.params.id);
      const inUse = (holds: 'areas' | 'sites' | 'people') =>
        new FireError('FIRE_STILL_IN_USE', { what: noun('area', id), holds: noun(holds) });
      for (const other of registry.areas.values()) if (other.parent === id) throw inUse('areas');
      for (const other of registry.sites.values()) if (other.area === id) throw inUse('sites');
      if (credentials.people().some((person) => person.scope === path)) throw inUse('people');
      await places.remove(context, actorOf(callerOf(request)), 'area', id, path);
      return reply.status(204).send();
    },
  );
}
