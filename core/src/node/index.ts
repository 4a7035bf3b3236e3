export { Counter, Gauge, Histogram, Registry as MetricsRegistry } from 'prom-client';
export { type Certificates, loadCertificates } from './certificates.ts';
export { systemClock } from './clock.ts';
export { type Config, configSchema, loadConfig } from './config.ts';
export { createLog, type Logger } from './log.ts';
export { type AuditAct, type AuditFinding, verifyAudit } from './state/audit.ts';
export { areaFromRow, deviceFromRow, siteFromRow } from './state/load-registry.ts';
export { openState, type StateStore } from './state/open.ts';
export type * from './state/tables.ts';
