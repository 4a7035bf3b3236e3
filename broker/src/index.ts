export { type Broker, type BrokerDeps, createBroker } from './broker.ts';
export type { TlsFiles } from './listeners.ts';
