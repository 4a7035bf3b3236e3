import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { alerts } from './figures/alerts.ts';
import { engine } from './figures/engine.ts';
import { fanOut } from './figures/fan-out.ts';
import { type BenchContext, type Figure, type FigureGroup, notMeasured, reason } from './figures/figure.ts';
import { flood } from './figures/flood.ts';
import { memory } from './figures/memory.ts';
import { puback } from './figures/puback.ts';
import { reads } from './figures/reads.ts';
import { restart } from './figures/restart.ts';
import { retention } from './figures/retention.ts';
import { stores } from './figures/stores.ts';
import { throughput } from './figures/throughput.ts';
import { tls } from './figures/tls.ts';
import { createPeers } from './peers/peers.ts';
import { inOrder, table, toJson } from './report.ts';

// `npm run bench [-- --quick] [--json FILE] [--only KEY,…] [--node-red]`: everything side by side in one run; the ratios are the
// result, absolutes hold on this machine only. A full run installs Node-RED from npm into a cache; with --only it is asked for by --node-red.
const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    'node-red': { type: 'boolean', default: false },
  },
});
const { quick } = options;
const only = options.only?.split(',') ?? null;
const GROUPS: FigureGroup[] = [
  throughput,
  puback,
  alerts,
  tls,
  fanOut,
  reads,
  flood,
  memory,
  restart,
  stores,
  retention,
  engine,
];

const wanted = (group: FigureGroup) =>
  only ? group.keys.some((key) => only.includes(key)) : !quick || group.quick.length > 0;
const began = performance.now();
const say = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${line}`);
const unknown = only?.filter((key) => !GROUPS.some(({ keys }) => keys.includes(key))) ?? [];
if (unknown.length > 0) {
  console.error(`no such figure: ${unknown.join(', ')}; there are ${GROUPS.flatMap(({ keys }) => keys).join(', ')}`);
  process.exit(1);
}

const peers = createPeers(say, { withNodeRed: options['node-red'] || (!quick && !only) });
const context: BenchContext = { quick, peers, say, wants: (key) => !only || only.includes(key) };
say(`${availableParallelism()} cores, Node ${process.version}`);
const figures: Figure[] = [];
try {
  for (const group of GROUPS.filter(wanted)) {
    const found = await group.measure(context).catch((error: unknown): Figure[] => {
      say(`failed: ${error instanceof Error ? error.stack : error}`);
      return (quick && !only ? group.quick : group.keys).map((key) => notMeasured(key, reason(error)));
    });
    figures.push(...found);
  }
} finally {
  await peers.stop();
}

const sorted = inOrder(figures);
console.log(`\n${table(sorted).join('\n')}\n`);
if (options.json) writeFileSync(options.json, toJson(sorted));
say('done');
process.exit(0);
