import type { ConsolesFunctions } from '../consoles/consoles.ts';
import { type Fleet, newFleet } from '../fleet.ts';
import { type CalledProcess, startProcess } from '../process-call.ts';
import { mosquitto } from './mosquitto.ts';
import { type NodeRedPeer, nodeRed } from './node-red.ts';
import type { Peer } from './peer.ts';
import { plainAedes } from './plain-aedes.ts';
import { type SmartFirePeer, smartFire } from './smart-fire.ts';

export interface Ours extends SmartFirePeer {
  /** One console of an operator is connected and shows the values of 50 devices. */
  consoles: CalledProcess<ConsolesFunctions>;
}

/** Servers under load, each started when first asked for and kept for the whole run. A rejection says why there is none. */
export interface Peers {
  fleet: Fleet;
  ours(): Promise<Ours>;
  aedes(): Promise<Peer>;
  mosquitto(): Promise<Peer>;
  nodeRed(): Promise<NodeRedPeer>;
  stop(): Promise<void>;
}

export const startConsoles = () => startProcess<ConsolesFunctions>(new URL('../consoles/consoles.ts', import.meta.url));

export function createPeers(say: (line: string) => void, { withNodeRed }: { withNodeRed: boolean }): Peers {
  const fleet = newFleet();
  const started: Promise<{ stop(): Promise<void> }>[] = [];

  function once<P extends { stop(): Promise<void> }>(start: () => Promise<P>): () => Promise<P> {
    let peer: Promise<P> | null = null;
    return () => {
      if (!peer) {
        peer = start();
        // Whoever asked is told; at the end it only matters that nothing is left.
        peer.catch(() => {});
        started.push(peer);
      }
      return peer;
    };
  }

  return {
    fleet,
    ours: once(async () => {
      const peer = await smartFire([...fleet.wide, ...fleet.deep]);
      for (const line of peer.settings) say(`ours      ${line}`);
      const consoles = startConsoles();
      const watch = fleet.wide[0]!.children.slice(0, 50);
      await consoles.call('open', { url: peer.liveUrl, token: peer.token, count: 1, watch });
      const stop = async () => {
        consoles.stop();
        await peer.stop();
      };
      return { ...peer, consoles, stop };
    }),
    aedes: once(plainAedes),
    mosquitto: once(mosquitto),
    nodeRed: once(async () => {
      if (!withNodeRed) throw new Error('Node-RED was not asked for (--node-red)');
      return nodeRed(say);
    }),
    async stop() {
      for (const peer of await Promise.allSettled(started)) if (peer.status === 'fulfilled') await peer.value.stop();
    },
  };
}
