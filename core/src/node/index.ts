export { systemClock } from './clock.ts';
export { type Config, configSchema, loadConfig } from './config.ts';
