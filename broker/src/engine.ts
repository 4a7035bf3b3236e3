import { promisify } from 'node:util';
import { type Clock, type Intake, type Registry, TOPIC_ROOT } from '@smart-fire/core';
import type { Logger } from '@smart-fire/core/node';
import { Aedes, type Connection as AedesStream, type AuthenticateError, type Client, type PublishPacket } from 'aedes';
import mqttPacket from 'mqtt-packet';
import { CONNACK, createAuthenticate } from './authenticate.ts';
import { createAuthorize } from './authorize.ts';
import { type Connection, connectionOf } from './connection.ts';
import type { Hold } from './hold.ts';
import type { Interest } from './interest.ts';
import { type Budgets, DRAIN_MS } from './limits.ts';
import { TOPIC_LEVELS_MAX } from './packet-check.ts';
import type { Persistence } from './persistence/persistence.ts';
import type { Presence } from './presence.ts';
import type { Publishes } from './publishes.ts';
import type { Refusals } from './refusals.ts';
import { ownClientId, type Rights } from './rights.ts';

// Kept for speed: a buffer for each of 65,536 numbers. What Aedes still writes is too little for 12 MB and the time to look through them at each collection.
mqttPacket.writeToStream.cacheNumbers = false;

export interface EngineDeps {
  intake: Intake;
  registry: Registry;
  rights: Rights;
  presence: Presence;
  interest: Interest;
  budgets: Budgets;
  hold: Hold;
  persistence: Persistence;
  refusals: Refusals;
  publishes: Publishes;
  clock: Clock;
  log: Logger;
  open: boolean;
  /** The client has its CONNACK. */
  ready(connection: Connection): void;
}

/** Aedes behind our guard and hooks. */
export interface Engine {
  handle(connection: Connection): void;
  close(): Promise<void>;
}

/** What we use of Aedes beyond its published types. */
interface Inside {
  clients: Record<string, Client & { will: PublishPacket | null }>;
  publish(packet: PublishPacket, ...rest: ((error?: Error | null) => void)[]): void;
}

/** MQTT 3.1 allows client ids of 1 to 23 characters; 3.1.1 lifted that. */
const CLIENT_ID_MAX_31 = 23;
/** Our own prefix makes every client id longer than Aedes would take. */
const ANY_LENGTH = 200_000;

export async function createEngine(deps: EngineDeps): Promise<Engine> {
  const { registry, rights, presence, interest, budgets, persistence, refusals, log, open } = deps;
  const authenticate = createAuthenticate({ registry, refusals, open });
  const authorize = createAuthorize({ ...deps, forward: (packet) => inside.publish(packet, () => {}) });
  let unnamed = 0;

  const aedes = new Aedes({
    // One slow subscriber would fill the slots of all publishers.
    concurrency: 0,
    drainTimeout: DRAIN_MS,
    maxTopicLevels: TOPIC_LEVELS_MAX,
    maxClientsIdLength: ANY_LENGTH,
    persistence,

    preConnect(client, packet, done) {
      const connection = connectionOf(client);
      const user = connection.certificateName ?? packet.username ?? '';
      connection.user = user;
      const { length } = packet.clientId;
      if (packet.protocolVersion === 3 && (length === 0 || length > CLIENT_ID_MAX_31)) connection.refuseWith = 2;
      // The guard watches the keepalive: it knows when silence is ours.
      packet.keepalive = 0;
      packet.clientId = ownClientId(user, packet.clientId || `#${++unnamed}`);
      done(null, true);
    },

    authenticate(client, _username, password, done) {
      const connection = connectionOf(client);
      const user = connection.user!;
      const refuse = (returnCode: number): void =>
        done(Object.assign(new Error('log-in refused'), { returnCode }) as AuthenticateError, null);
      const verdict = authenticate(connection, user, password);
      if (!verdict.accepted) return refuse(verdict.code);
      const { _will: will } = client as unknown as { _will: PublishPacket | undefined };
      if (will && !rights.publish(user, will.topic)) {
        const device = verdict.device?.id ?? null;
        refusals.message({ reason: 'foreign-topic', device, remote: connection.remote, topic: will.topic });
        return refuse(CONNACK.notAuthorized);
      }
      connection.device = verdict.device;
      connection.budget = budgets.of(user === '' ? client.id : user);
      const former = inside.clients[client.id];
      if (former) {
        connectionOf(former).endReason ??= 'taken-over';
        // Aedes would publish the former will and then delete the new one under the same client id.
        if (former.will?.topic.startsWith(TOPIC_ROOT)) former.will = null;
      }
      presence.arrived(user, connection, former !== undefined);
      done(null, true);
    },

    authorizePublish: authorize.authorizePublish,
    authorizeSubscribe: authorize.authorizeSubscribe,
    authorizeForward: authorize.authorizeForward,
  });
  const inside = aedes as unknown as Inside;

  const publish = inside.publish.bind(aedes);
  inside.publish = (packet, ...rest) => {
    if (authorize.isSilent(packet)) rest.at(-1)?.(null);
    else publish(packet, ...rest);
  };

  // Without a listener an error would end the process.
  aedes.on('error' as 'closed', ((error: Error) => log.error({ err: error }, 'MQTT broker')) as () => void);
  aedes.on('clientError', (client, error) => log.debug({ client: client.id, err: error }, 'MQTT client'));
  aedes.on('connectionError', (_client, error) => log.debug({ err: error }, 'MQTT connection'));
  aedes.on('subscribe', (_filters, client) => connectionOf(client).dealt());
  aedes.on('unsubscribe', (filters, client) => {
    for (const filter of filters) interest.remove(client.id, filter);
  });
  aedes.on('connackSent', (packet, client) => {
    // Aedes takes packets from the next line of its own on.
    if (packet.returnCode === 0) queueMicrotask(() => deps.ready(connectionOf(client)));
  });

  await aedes.listen();
  for (const { client, filter } of persistence.filters()) interest.add(client, filter);

  return {
    handle: (connection) => void aedes.handle(connection as unknown as AedesStream),
    close: () => promisify((done: () => void) => aedes.close(done))(),
  };
}
