/** Everything a sensor can measure: name on the wire, unit, and words for people. Values are IEEE doubles in that unit. */
export const METRICS = {
  smoke_density: { unit: 'dB/m', zh: '烟雾浓度', en: 'Smoke density' },
  temperature: { unit: '°C', zh: '温度', en: 'Temperature' },
  co: { unit: 'ppm', zh: '一氧化碳', en: 'Carbon monoxide' },
  gas: { unit: '% LEL', zh: '可燃气体', en: 'Combustible gas' },
  pressure: { unit: 'kPa', zh: '水压', en: 'Water pressure' },
  level: { unit: 'm', zh: '液位', en: 'Water level' },
  flow: { unit: 'L/s', zh: '流量', en: 'Flow' },
  residual_current: { unit: 'mA', zh: '剩余电流', en: 'Residual current' },
  current: { unit: 'A', zh: '电流', en: 'Current' },
  voltage: { unit: 'V', zh: '电压', en: 'Voltage' },
  arcs: { unit: 'count', zh: '故障电弧', en: 'Fault arcs' },
  battery: { unit: '%', zh: '电池电量', en: 'Battery' },
  signal: { unit: 'dBm', zh: '信号强度', en: 'Signal strength' },
} as const satisfies Record<string, { unit: string; zh: string; en: string }>;

export type Metric = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as Metric[];

/** Unit and words of a metric; one we do not know (a column of a recording) is called by its own name. */
export function metricWords(name: string): { unit: string; zh: string; en: string } {
  return isMetric(name) ? METRICS[name] : { unit: '', zh: name, en: name };
}

export function isMetric(name: string): name is Metric {
  return Object.hasOwn(METRICS, name);
}
