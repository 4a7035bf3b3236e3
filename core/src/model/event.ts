/** What a device itself declares on `smartfire/v1/{device}/event`. Any other word is kept as an event of its own that raises nothing. */
export const EVENTS = {
  fire: { class: 'fire', zh: '火警', en: 'Fire' },
  restored: { restores: 'fire', zh: '火警恢复', en: 'Fire restored' },
  supervisory: { class: 'supervisory', zh: '监管', en: 'Supervisory' },
  'supervisory-restored': { restores: 'supervisory', zh: '监管恢复', en: 'Supervisory restored' },
  fault: { class: 'fault', zh: '故障', en: 'Fault' },
  'fault-restored': { restores: 'fault', zh: '故障恢复', en: 'Fault restored' },
  'low-battery': { class: 'fault', zh: '电池欠压', en: 'Low battery' },
  'battery-restored': { restores: 'low-battery', zh: '电池恢复', en: 'Battery restored' },
  tamper: { class: 'supervisory', zh: '防拆', en: 'Tamper' },
  'tamper-restored': { restores: 'tamper', zh: '防拆恢复', en: 'Tamper restored' },
  disabled: { class: 'disabled', zh: '屏蔽', en: 'Disabled' },
  enabled: { restores: 'disabled', zh: '解除屏蔽', en: 'Enabled' },
  test: { zh: '测试', en: 'Test' },
} as const satisfies Record<string, { class?: AlarmClass; restores?: string; zh: string; en: string }>;

export type KnownEvent = keyof typeof EVENTS;

export function isKnownEvent(name: string): name is KnownEvent {
  return Object.hasOwn(EVENTS, name);
}

/** Classes of an alarm, most urgent first. They are never merged into one "level". */
export const ALARM_CLASSES = ['fire', 'early-warning', 'supervisory', 'fault', 'disabled'] as const;
export type AlarmClass = (typeof ALARM_CLASSES)[number];
