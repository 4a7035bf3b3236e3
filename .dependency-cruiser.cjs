// The arrows between the packages: `core` is below, smart-fire.ts and the tests are above, and siblings do not know each other.
const PACKAGES = 'broker|ingest|alerting|simulators|web';
const TESTS = '\\.test\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'packages-import-core-only',
      comment: 'Siblings are joined in smart-fire.ts (and in tests/), nowhere else.',
      severity: 'error',
      from: { path: `^(${PACKAGES})/` },
      to: { path: `^(${PACKAGES}|tests|smart-fire\\.ts)(/|$)`, pathNot: '^$1/' },
    },
    {
      name: 'core-is-below',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: `^(${PACKAGES}|tests|smart-fire\\.ts)(/|$)` },
    },
    {
      name: 'through-the-front-door',
      comment: "A package's index (and core's four doors) is all that others see.",
      severity: 'error',
      from: { path: `^(${PACKAGES}|tests|smart-fire\\.ts)`, pathNot: '^web/console/' },
      to: {
        path: '^(core|broker|ingest|alerting|simulators|web)/src/',
        pathNot: [
          '^$1/',
          '^[a-z]+/src/index\\.ts$',
          '^core/src/(sensors|node|testing)/index\\.ts$',
          '\\.contract\\.ts$',
        ],
      },
    },
    {
      name: 'console-in-the-browser',
      comment: "The console sees core's browser-safe doors, never the server.",
      severity: 'error',
      from: { path: '^web/console/', pathNot: TESTS },
      to: {
        path: ['^(core|broker|ingest|alerting|simulators|web)/src/', '^tests/'],
        pathNot: ['^core/src/(sensors/)?index\\.ts$'],
      },
    },
    {
      name: 'console-without-node',
      severity: 'error',
      from: { path: '^web/console/', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-stays-browser-safe',
      comment: 'What needs Node lives under core/src/node and is reached by @smart-fire/core/node.',
      severity: 'error',
      from: { path: '^core/src/', pathNot: ['^core/src/(node|testing)/', TESTS] },
      to: { path: '^core/src/(node|testing)/' },
    },
    {
      name: 'core-without-node',
      severity: 'error',
      from: { path: '^core/src/', pathNot: ['^core/src/(node|testing)/', TESTS] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'stores-behind-ports',
      comment:
        'Only adapters know a database; others use the ports, or the query builder that StateStore.db already is.',
      severity: 'error',
      from: { pathNot: ['^core/src/node/', '^core/src/testing/', '^tests/', TESTS] },
      to: { path: '(^|/)(kysely|@influxdata)/|^(node:)?sqlite$' },
    },
    {
      name: 'tests-stay-out-of-the-product',
      severity: 'error',
      from: { pathNot: [TESTS, '^tests/', '^[a-z]+/src/testing/', '\\.contract\\.ts$'] },
      to: { path: [TESTS, '^tests/', '^core/src/testing/', 'node_modules/(fast-check|vitest)/'] },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(vue-router/auto|virtual:)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(web/dist|coverage)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.vue', '.json', '.d.ts'],
    },
  },
};
