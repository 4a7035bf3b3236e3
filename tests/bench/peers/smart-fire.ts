import { Api } from '../../harness/api.ts';
import { SmartFireServer } from '../../harness/server.ts';
import type { Peer } from './peer.ts';

const PASSWORD = 'a password of the bench';
/** Presets that every reading or event of the bench's devices meets. */
const KIND = 'heat-detector';

/** The whole platform as users run it: validation, rules, alarms, live hub and durable stores; rate limits on, raised by configuration. */
export async function smartFire(count: number): Promise<Peer & { url: string; token: string; rules: string[] }> {
  const server = await SmartFireServer.launch({ MQTT_DEVICE_RATE: '1000000' });
  const api = await new Api(server.url).setUp(server.setupToken!, {
    username: 'bench',
    name: 'bench',
    password: PASSWORD,
  });
  const area = await api.addArea('bench');
  const site = await api.addSite(area.id, 'bench');
  const devices: Peer['devices'] = [];
  for (let i = 0; i < count; i++) {
    const { device, secret } = await api.addDevice(site.id, KIND, `bench-${i}`);
    devices.push({ id: device.id, secret });
  }
  await api.addPerson('operator', 'operator', PASSWORD);
  const operator = await new Api(server.url).logIn('operator', PASSWORD);
  const { secret: token } = await operator.post<{ secret: string }>('tokens', { name: 'bench' });
  const { items } = await api.get<{ items: { id: string; kind: string }[] }>('rules?limit=1000');
  return {
    name: 'smart-fire',
    port: server.ports.mqtt,
    url: server.url,
    token,
    devices,
    rules: items.filter((rule) => rule.kind === KIND).map((rule) => rule.id),
    pid: server.pid!,
    stop: () => server.remove(),
  };
}
