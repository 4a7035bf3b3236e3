export { runDemo } from './demo.ts';
export { type County, type CountyDevice, createCounty, DEMO_COUNTY } from './demo-county.ts';
export { createFleet, type Fleet, type FleetDevice, type FleetOptions } from './fleet.ts';
export { createLoad, type Load, type LoadOptions, type LoadReport } from './load.ts';
export { load, loadOptions } from './load-command.ts';
export { parseScenario, readScenario, type Scenario } from './scenario.ts';
export { simulate, simulateOptions } from './simulate.ts';
