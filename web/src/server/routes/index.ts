import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { addAlarmRoutes } from './alarms.ts';
import { addAreaRoutes } from './areas.ts';
import { addAuditRoutes } from './audit.ts';
import { addBacktestRoutes } from './backtest.ts';
import { addCatalogueRoutes } from './catalogue.ts';
import { addDeadLetterRoutes } from './dead-letters.ts';
import { addDeviceRuleRoutes } from './device-rules.ts';
import { addDeviceRoutes } from './devices.ts';
import { addHealthRoutes } from './health.ts';
import { addMaintenanceRoutes } from './maintenance.ts';
import { addReadingRoutes } from './readings.ts';
import { addRuleFileRoutes } from './rule-files.ts';
import { addRuleRoutes } from './rules.ts';
import { addSessionRoutes } from './session.ts';
import { addSetupRoutes } from './setup.ts';
import { addSiteRoutes } from './sites.ts';
import { addTokenRoutes } from './tokens.ts';
import { addUserRoutes } from './users.ts';
import { addZoneRoutes } from './zones.ts';

/** Every resource; a new one is a file beside these and a line here. */
export const ROUTES: ((app: App, context: Context) => void)[] = [
  addSessionRoutes,
  addSetupRoutes,
  addAreaRoutes,
  addSiteRoutes,
  addZoneRoutes,
  addDeviceRoutes,
  addReadingRoutes,
  addAlarmRoutes,
  addRuleRoutes,
  addRuleFileRoutes,
  addBacktestRoutes,
  addDeviceRuleRoutes,
  addMaintenanceRoutes,
  addDeadLetterRoutes,
  addAuditRoutes,
  addUserRoutes,
  addTokenRoutes,
  addCatalogueRoutes,
  addHealthRoutes,
];
