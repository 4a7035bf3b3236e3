import { DEVICE_ID, FireError, type RegisteredDevice } from '@smart-fire/core';
import { getSensorKind } from '@smart-fire/core/sensors';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { actorOf, allowed, callerOf, permitted } from '../access/caller.ts';
import { randomId } from '../access/secret.ts';
import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { answers } from '../schemas/answers.ts';
import { byKey, id, listOf, page, pageOf } from '../schemas/list.ts';
import { CONDITIONS, device, deviceStatus, deviceWithSecret, rawMessage } from '../schemas/things.ts';
import { devices, newDeviceSecret, type StoredDevice } from '../store/devices.ts';
import { noun } from '../words.ts';

const deviceId = z.string().regex(DEVICE_ID);
const params = z.object({ id: deviceId });
const text = z.string().trim().max(200);

export function addDeviceRoutes(app: App, context: Context): void {
  const { registry, ruleBook, status, disconnectDevice, clock } = context;
  const views = context.devices;

  const find = (
    request: FastifyRequest,
    id: string,
    permission: 'device.read' | 'device.write' | 'device.raw.read',
  ) => {
    const found = registry.devices.get(id);
    return allowed(request, permission, found, found?.path ?? '', 'device', id);
  };

  /** A device's place must exist, lie in the caller's scope, and fit together. */
  const checkPlace = (request: FastifyRequest, { id, site, zone, gateway }: StoredDevice) => {
    const place = registry.sites.get(site);
    allowed(request, 'device.write', place, place?.path ?? '', 'site', site);
    if (zone !== null && registry.zones.get(zone)?.site !== site)
      throw new FireError('FIRE_NOT_FOUND', { what: noun('zone', zone) });
    if (gateway === null) return;
    const carrier = find(request, gateway, 'device.write');
    if (carrier.id === id || carrier.gateway !== null || registry.children(id).size > 0)
      throw new FireError('FIRE_REQUEST_INVALID', { problems: 'gateway: a gateway cannot be behind a gateway' });
  };

  app.get(
    '/api/v1/devices',
    {
      config: { permission: 'device.read' },
      schema: {
        summary: 'Devices in my scope, by id',
        querystring: z.strictObject({
          ...page,
          area: id.optional(),
          site: id.optional(),
          zone: id.optional(),
          kind: z.string().max(64).optional(),
          gateway: deviceId.optional(),
          condition: z.enum(CONDITIONS).optional(),
          q: z.string().max(200).optional().describe('Part of the id, name or location'),
        }),
        response: answers(200, listOf(device)),
      },
    },
    async (request) => {
      const { scope } = callerOf(request).person;
      const { area, site, zone, kind, gateway, condition, q, cursor, limit } = request.query;
      const below = area === undefined ? '/' : (registry.areas.get(area)?.path ?? null);
      const wanted = (item: RegisteredDevice) =>
        item.path.startsWith(scope) &&
        below !== null &&
        item.path.startsWith(below) &&
        (site === undefined || item.site === site) &&
        (zone === undefined || item.zone === zone) &&
        (kind === undefined || item.kind === kind) &&
        (gateway === undefined || item.gateway === gateway) &&
        (q === undefined || [item.id, item.name, item.location].some((part) => part.includes(q))) &&
        (condition === undefined || views.condition(item) === condition);
      const key = (item: RegisteredDevice) => item.id;
      const found = [...registry.devices.values()].filter(wanted).sort(byKey(key));
      const { items, next } = pageOf(found, key, cursor, limit);
      return { items: items.map((item) => views.item(item)), next };
    },
  );

  app.post(
    '/api/v1/devices',
    {
      config: { permission: 'device.write' },
      schema: {
        summary: 'Register a device; its secret is shown this once',
        body: z.strictObject({
          id: deviceId.optional(),
          kind: z.string().max(64),
          name: text.optional(),
          site: id,
          zone: id.nullable().default(null),
          gateway: deviceId.nullable().default(null),
          location: text.default(''),
        }),
        response: answers(201, deviceWithSecret),
      },
    },
    async (request, reply) => {
      const { kind, name } = request.body;
      const sensor = getSensorKind(kind);
      if (!sensor)
        throw new FireError('FIRE_REQUEST_INVALID', { problems: `kind: ${kind} (GET /api/v1/sensor-kinds)` });
      const newId = request.body.id ?? randomId(kind);
      const { secret, secretHash } = newDeviceSecret();
      const made: StoredDevice = {
        ...request.body,
        ...{ id: newId, name: name || newId, disabled: false, createdAt: clock.now(), secretHash },
      };
      checkPlace(request, made);
      if (registry.devices.has(newId) || ruleBook.namesElsewhere('device', newId, callerOf(request).person.scope))
        throw new FireError('FIRE_ALREADY_EXISTS', { what: noun('device', newId) });
      const registered = await devices.put(context, actorOf(callerOf(request)), made, 'create');
      return reply.status(201).send({ device: views.item(registered), secret });
    },
  );

  app.get(
    '/api/v1/devices/:id',
    {
      config: { permission: 'device.read' },
      schema: { summary: 'One device', params, response: answers(200, device) },
    },
    async (request) => views.item(find(request, request.params.id, 'device.read')),
  );

  app.patch(
    '/api/v1/devices/:id',
    {
      config: { permission: 'device.write' },
      schema: {
        summary: 'Change, move or disable a device',
        params,
        body: z.strictObject({
          name: text.min(1).exactOptional(),
          site: id.exactOptional(),
          zone: id.nullable().exactOptional(),
          gateway: deviceId.nullable().exactOptional(),
          location: text.exactOptional(),
          disabled: z.boolean().exactOptional(),
        }),
        response: answers(200, device),
      },
    },
    async (request) => {
      const before = find(request, request.params.id, 'device.write');
      const after = { ...storedOf(before), ...request.body };
      checkPlace(request, after);
      const registered = await devices.put(context, actorOf(callerOf(request)), after, 'update');
      if (after.disabled) disconnectDevice(after.id);
      return views.item(registered);
    },
  );

  app.delete(
    '/api/v1/devices/:id',
    {
      config: { permission: 'device.write' },
      schema: { summary: 'Remove a device; its history stays', params, response: answers(204, z.undefined()) },
    },
    async (request, reply) => {
      const found = find(request, request.params.id, 'device.write');
      const inUse = (holds: 'devices' | 'alarms') =>
        new FireError('FIRE_STILL_IN_USE', { what: noun('device', found.id), holds: noun(holds) });
      if (registry.children(found.id).size > 0) throw inUse('devices');
      // An alarm must not lose the device that tells people where to go.
      if (views.hasUnclosedAlarms(found.id)) throw inUse('alarms');
      await devices.remove(context, actorOf(callerOf(request)), found);
      disconnectDevice(found.id);
      return reply.status(204).send();
    },
  );

  app.post(
    '/api/v1/devices/:id/secret',
    {
      config: { permission: 'device.write' },
      schema: {
        summary: 'Give the device a new secret; the old one ends at once',
        params,
        response: answers(200, deviceWithSecret),
      },
    },
    async (request) => {
      const found = find(request, request.params.id, 'device.write');
      const { secret, secretHash } = newDeviceSecret();
      const after = { ...storedOf(found), secretHash };
      const registered = await devices.put(context, actorOf(callerOf(request)), after, 'rotate-secret');
      disconnectDevice(found.id);
      return { device: views.item(registered), secret };
    },
  );

  app.get(
    '/api/v1/devices/:id/status',
    {
      config: { permission: 'device.read' },
      schema: {
        summary: 'State now, with last values for those who may read readings',
        params,
        response: answers(200, deviceStatus),
      },
    },
    async (request) =>
      views.status(find(request, request.params.id, 'device.read'), permitted(request, 'reading.read')),
  );

  app.get(
    '/api/v1/devices/:id/raw-messages',
    {
      config: { permission: 'device.raw.read' },
      schema: {
        summary: 'The last 50 messages as they came, newest first',
        params,
        response: answers(200, listOf(rawMessage)),
      },
    },
    async (request) => ({ items: status.raw(find(request, request.params.id, 'device.raw.read').id), next: null }),
  );
}

function storedOf({ index: _, path: __, ...device }: RegisteredDevice): StoredDevice {
  return device;
}
