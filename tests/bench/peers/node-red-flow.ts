import { ALERT_METRIC } from '../fleet.ts';

/** Below it the preset `battery-low` raises (%). */
const LIMIT = 20;

/** The same way from a reading to an alert as flows: mqtt in (QoS 1) → json → switch on the limit → function that makes the alert → websocket out. */
export function alertFlow(mqttPort: number) {
  const at = (wires: string[]) => ({ z: 'flow', x: 0, y: 0, wires: wires.length > 0 ? [wires] : [] });
  return [
    { id: 'flow', type: 'tab', label: 'alerts' },
    {
      ...{ id: 'broker', type: 'mqtt-broker', broker: '127.0.0.1', port: String(mqttPort), clientid: 'flow' },
      ...{ protocolVersion: '4', keepalive: '60', cleansession: true, autoConnect: true, usetls: false },
    },
    { id: 'listener', type: 'websocket-listener', path: '/alerts', wholemsg: 'false' },
    {
      ...{
        id: 'in',
        type: 'mqtt in',
        topic: 'smartfire/v1/+/telemetry',
        qos: '1',
        datatype: 'buffer',
        broker: 'broker',
      },
      ...{ inputs: 0, ...at(['json']) },
    },
    { id: 'json', type: 'json', property: 'payload', action: 'obj', pretty: false, ...at(['limit']) },
    {
      ...{ id: 'limit', type: 'switch', property: `payload.values.${ALERT_METRIC}`, propertyType: 'msg' },
      ...{ rules: [{ t: 'lt', v: String(LIMIT), vt: 'num' }], checkall: 'false', outputs: 1, ...at(['alert']) },
    },
    {
      ...{ id: 'alert', type: 'function', outputs: 1, ...at(['out']) },
      func: `const { ts, seq, values } = msg.payload;
msg.payload = { device: msg.topic.split('/')[2], seq, ts, class: 'early-warning', limit: ${LIMIT}, value: values.${ALERT_METRIC} };
return msg;`,
    },
    { id: 'out', type: 'websocket out', server: 'listener', client: '', ...at([]) },
  ];
}
