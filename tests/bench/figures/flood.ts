import { fleetOf } from '../fleet.ts';
import { openLoad } from '../load/load.ts';
import { startConsoles } from '../peers/peers.ts';
import { smartFire } from '../peers/smart-fire.ts';
import { type FigureGroup, figure } from './figure.ts';

const CONSOLES = 200;
const WITHIN_MS = 60_000;

/** 10,000 devices declare a fire at once while 200 consoles watch: how long the server's event loop does nothing else at most. */
export const flood: FigureGroup = {
  keys: ['flood_loop_blocked_ms'],
  quick: ['flood_loop_blocked_ms'],
  async measure({ quick, say }) {
    const blocked: number[] = [];
    const seconds: number[] = [];
    // Alarms stay open, so every round has a platform of its own.
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      const gateways = fleetOf('flood', 500, 20);
      const server = await smartFire(gateways);
      const consoles = startConsoles();
      const load = await openLoad(server.port, { gateways, inFlight: 20 });
      try {
        await consoles.call('open', { url: server.liveUrl, token: server.token, count: CONSOLES, watch: [] });
        await consoles.call('holding', { alarms: 0, withinMs: WITHIN_MS });
        await server.loopBlockedMs();
        const began = performance.now();
        const fires = await load.fires();
        const acknowledged = performance.now() - began;
        const held = await consoles.call('holding', { alarms: fires, withinMs: WITHIN_MS });
        const took = performance.now() - began;
        blocked.push(await server.loopBlockedMs());
        seconds.push(took / 1000);
        say(
          `flood: ${fires} fires acknowledged in ${acknowledged.toFixed(0)} ms; ${held.alarms} alarms at ${held.consoles} of ${CONSOLES} consoles after ${took.toFixed(0)} ms; event loop blocked ${blocked.at(-1)!.toFixed(1)} ms at most`,
        );
        if (held.alarms < fires || held.consoles < CONSOLES)
          throw new Error(`only ${held.alarms} alarms at ${held.consoles} consoles within ${WITHIN_MS} ms`);
      } finally {
        load.stop();
        consoles.stop();
        await server.stop();
      }
    }
    return [figure('flood_loop_blocked_ms', blocked), figure('flood_seconds_to_all_consoles', seconds)];
  },
};
