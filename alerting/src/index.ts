export { type Alerting, type AlertingDeps, createAlerting } from './alerting.ts';
export { type ExportQuery, exportAlarms } from './export.ts';
