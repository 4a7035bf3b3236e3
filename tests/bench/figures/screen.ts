import { connect } from 'mqtt';
import { WebSocket } from 'ws';
import { generate } from '../generate.ts';
import { type BenchContext, type Figure, percentile } from './figure.ts';

interface Change {
  entity: string;
  value: { device: string; event: string | null; state: string; count: number } | null;
}

/**
 * From a device's socket write of a fire to the frame's arrival at a console that keeps reading, while other devices report at a paced rate.
 * Fires come one by one from devices of their own, so that each is an alarm or a repeat of one.
 */
export async function readingToScreen({ quick, peers, say }: BenchContext): Promise<Figure[]> {
  const { ours } = peers;
  const figures: Figure[] = [];
  const alarming = ours.devices.slice(-20);
  const arrivals = new Map<string, () => void>();
  const console_ = new WebSocket(`${ours.url.replace('http', 'ws')}/api/v1/live`, {
    headers: { authorization: `Bearer ${ours.token}` },
  });
  await new Promise((done, fail) => {
    console_.once('open', done);
    console_.once('error', fail);
  });
  console_.send(JSON.stringify({ type: 'hello', watch: [] }));
  console_.on('message', (data) => {
    const frame = JSON.parse(String(data)) as { type: string; changes?: Change[] };
    if (frame.type !== 'patch') return;
    for (const { entity, value } of frame.changes ?? [])
      if (entity === 'alarm' && value?.event === 'fire') arrivals.get(`${value.device} ${value.count}`)?.();
  });
  const clients = alarming.map(({ id, secret }) =>
    connect({ host: '127.0.0.1', port: ours.port, username: id, password: secret, clientId: `${id}-fire` }),
  );
  await Promise.all(clients.map((client) => new Promise((done) => client.once('connect', done))));
  let fires = 0;
  for (const rate of quick ? [5000] : [500, 2000, 5000]) {
    const load = generate({
      port: ours.port,
      devices: ours.devices.slice(0, -20),
      connections: 100,
      inFlight: 64,
      rate,
      warmUpMs: 500,
      measureMs: quick ? 5000 : 10_000,
    });
    let running = true;
    void load.finally(() => {
      running = false;
    });
    const samples: number[] = [];
    while (running) {
      const device = alarming[fires % alarming.length]!;
      const client = clients[fires % alarming.length]!;
      const count = Math.floor(fires / alarming.length) + 1;
      fires++;
      const sentAt = performance.now();
      const arrived = new Promise<void>((done) => arrivals.set(`${device.id} ${count}`, done));
      client.publish(`smartfire/v1/${device.id}/event`, JSON.stringify({ ts: Date.now(), seq: fires, event: 'fire' }), {
        qos: 1,
      });
      await arrived;
      samples.push(performance.now() - sentAt);
      await new Promise((done) => setTimeout(done, 15));
    }
    await load;
    const p99 = percentile(samples, 0.99);
    say(
      `screen    fire to console at ${rate}/s: p50 ${percentile(samples, 0.5).toFixed(2)}, p99 ${p99.toFixed(2)} ms (${samples.length} fires)`,
    );
    figures.push(
      {
        key: `fire_to_screen_p50_ms_at_${rate}`,
        what: `fire to console at ${rate} readings/s, p50`,
        unit: 'ms',
        value: percentile(samples, 0.5),
        samples: [],
      },
      {
        key: `fire_to_screen_p99_ms_at_${rate}`,
        what: `fire to console at ${rate} readings/s, p99`,
        unit: 'ms',
        value: p99,
        samples: [],
        target: { must: 100, aim: 20, atLeast: false },
      },
    );
  }
  await Promise.all(clients.map((client) => client.endAsync(true)));
  console_.terminate();
  return figures;
}
