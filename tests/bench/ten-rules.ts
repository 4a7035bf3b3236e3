import { CHILD_KIND, GATEWAY_KIND } from './fleet.ts';

/** The presets that judge the bench's devices: verdict × 2, threshold × 6, absence × 2. */
export const TEN_RULES: readonly string[] = [
  ...['fire', 'fault', 'co-50', 'co-100', 'co-300', 'battery-low', 'absence'].map((id) => `preset:${CHILD_KIND}:${id}`),
  ...['mains-low', 'battery-low', 'absence'].map((id) => `preset:${GATEWAY_KIND}:${id}`),
];
