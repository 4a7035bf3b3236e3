import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { BenchContext, Figure } from './figures/figure.ts';
import { readingToScreen } from './figures/screen.ts';
import { stores } from './figures/stores.ts';
import { pubackLatency, throughput } from './figures/throughput.ts';
import { mosquitto } from './peers/mosquitto.ts';
import { plainAedes } from './peers/plain-aedes.ts';
import { smartFire } from './peers/smart-fire.ts';

// `npm run bench [-- --quick] [--json FILE]`: everything side by side in one run; the ratios are the result, absolutes hold on this machine only.
const { values: options } = parseArgs({
  options: { json: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const say = (line: string) => console.log(line);

const ours = await smartFire(1020);
const aedes = await plainAedes(ours.devices);
const rival = await mosquitto(ours.devices).catch(() => null);
const context: BenchContext = { quick: options.quick, peers: { ours, aedes, mosquitto: rival }, say };
say(`${availableParallelism()} cores, Node ${process.version}, rules: ${ours.rules.join(', ')}\n`);

const figures: Figure[] = [];
try {
  for (const measure of [throughput, pubackLatency, readingToScreen, stores]) figures.push(...(await measure(context)));
} finally {
  await Promise.all([ours.stop(), aedes.stop(), rival?.stop()]);
}

say('');
for (const { key, value, unit, target, why } of figures) {
  const shown =
    value === null ? `not measured: ${why}` : `${value >= 100 ? value.toFixed(0) : value.toFixed(2)} ${unit}`;
  const reached = (limit: number) => value !== null && (target?.atLeast ? value >= limit : value <= limit);
  const verdict =
    !target || value === null
      ? ''
      : reached(target.aim)
        ? 'aim reached'
        : reached(target.must)
          ? 'must reached'
          : `missed (must ${target.must})`;
  say(`${key.padEnd(36)} ${shown.padEnd(22)} ${verdict}`);
}
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify(
      Object.fromEntries(
        figures.map(({ key, value, samples, target, why }) => [
          key,
          { value, ...(why ? { why } : {}), ...(target ? { must: target.must, aim: target.aim } : {}), samples },
        ]),
      ),
      null,
      2,
    )}\n`,
  );
