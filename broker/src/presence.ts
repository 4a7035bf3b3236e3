import type { Intake } from '@smart-fire/core';
import type { Connection, EndReason } from './connection.ts';

/** Connections of one user at once; a device needs one, and a second while the first has not noticed its loss. */
const CONNECTIONS_PER_USER = 8;

/** Who is connected, by user. What the broker saw of a device goes to the intake; what a device says of itself does not come from here. */
export class Presence {
  readonly #intake: Intake;
  readonly #connections = new Map<string, Set<Connection>>();

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  connected(user: string): boolean {
    return this.#connections.has(user);
  }

  of(user: string): Connection[] {
    return [...(this.#connections.get(user) ?? [])];
  }

  /** The user has logged in. Beyond the cap its oldest connection gives way: a device must always be able to come back. */
  arrived(user: string, connection: Connection, takesOver: boolean): void {
    const connections = this.#connections.get(user);
    if (!connections) this.#connections.set(user, new Set([connection]));
    else connections.add(connection);
    const reason = !connections ? 'connected' : takesOver ? 'taken-over' : null;
    if (reason && connection.device) this.#intake.presence(connection.device.id, true, reason);
    // Users without a name share nothing but the lack of it.
    if (user !== '' && connections && connections.size > CONNECTIONS_PER_USER)
      connections.values().next().value!.cut('too-many-connections');
  }

  left(connection: Connection, reason: EndReason): void {
    const { user, device } = connection;
    const connections = user === null ? undefined : this.#connections.get(user);
    if (user === null || !connections?.delete(connection) || connections.size > 0) return;
    this.#connections.delete(user);
    if (device) this.#intake.presence(device.id, false, reason);
  }
}
