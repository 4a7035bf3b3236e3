/** What a figure must reach and aims at; `atLeast` tells the direction. */
export interface Target {
  what: string;
  unit: string;
  must: number;
  aim: number;
  atLeast: boolean;
}

const atLeast = (must: number, aim: number, unit: string, what: string): Target => ({
  what,
  unit,
  must,
  aim,
  atLeast: true,
});
const atMost = (must: number, aim: number, unit: string, what: string): Target => ({
  what,
  unit,
  must,
  aim,
  atLeast: false,
});

/** Every promised figure, in the order of the table. */
export const TARGETS: Record<string, Target> = {
  durable_vs_aedes_pipelined: atLeast(
    1,
    2.5,
    '×',
    'our durable path ÷ plain Aedes, which stores nothing, 50 × 64, 10,000 devices',
  ),
  durable_vs_aedes_single: atLeast(0.9, 1.3, '×', 'our durable path ÷ plain Aedes, 500 × 1'),
  durable_vs_mosquitto_pipelined: atLeast(1, 3, '×', 'our durable path ÷ Mosquitto acknowledging only, 50 × 64'),
  sustained_vs_node_red: atLeast(2.5, 10, '×', 'highest paced rate with alert p99 < 50 ms ÷ Mosquitto + Node-RED'),
  alert_p50_vs_node_red: atMost(1, 0.6, '×', 'alert p50 at 5,000/s ÷ Mosquitto + Node-RED'),
  alert_p99_vs_node_red: atMost(1, 0.5, '×', 'alert p99 at 5,000/s ÷ Mosquitto + Node-RED'),
  puback_p99_ms_at_20k: atMost(10, 5, 'ms', 'PUBACK p99 at 20,000 readings/s, durable'),
  history_p99_ms_at_20k: atMost(200, 50, 'ms', "a device's day at 1 Hz to 300 points while 20,000 readings/s come in"),
  snapshot_p99_ms_at_20k: atMost(100, 30, 'ms', "a console's snapshot with 500 alarms while 20,000 readings/s come in"),
  store_bytes_per_reading: atMost(5, 3, 'B', 'readings store on disk, realistic noise'),
  write_p99_ms_while_retaining: atMost(
    50,
    20,
    'ms',
    'a write at 20,000 readings/s while 10,000,000 old ones become trends',
  ),
  query_day_vs_influx: atMost(0.3, 0.1, '×', '24 h at 1 Hz to 300 points ÷ InfluxDB'),
  kb_per_connected_device: atMost(60, 40, 'kB', '(RSS at 5,000 connected devices − idle) ÷ 5,000'),
  flood_loop_blocked_ms: atMost(100, 20, 'ms', '10,000 alarms to 200 consoles: longest block of the event loop'),
  restart_1m_open_s: atMost(1, 0.5, 's', 'what 1,000,000 readings nobody has consumed yet add to a start'),
  engine_bytes_per_device_1m: atMost(300, 120, 'B', '1,000,000 devices in the engine with the ten rules'),
  tls_vs_tcp: atLeast(0.6, 0.8, '×', 'durable path over TLS ÷ over TCP, 500 × 1'),
};
