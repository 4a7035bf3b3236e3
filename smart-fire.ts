#!/usr/bin/env node
// The one composition root and command: packages know only core, this file hands them to one another.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  backtestCommand,
  backtestHistory,
  boundedReadings,
  createAlerting,
  createRuleBook,
  exportAlarms,
} from '@smart-fire/alerting';
import { createBroker } from '@smart-fire/broker';
import { FireError, type HealthItem, Registry, type RuleBook, type Service } from '@smart-fire/core';
import {
  type Config,
  createLog,
  loadCertificates,
  loadConfig,
  lockDataFolder,
  MetricsRegistry,
  openJournal,
  openReadings,
  openState,
  systemClock,
  verifyAudit,
} from '@smart-fire/core/node';
import { createIngest } from '@smart-fire/ingest';
import { DEMO_COUNTY, load, loadOptions, runDemo, simulate, simulateOptions } from '@smart-fire/simulators';
import { createPerson, createWeb, provision } from '@smart-fire/web';
import { Command, InvalidArgumentError } from 'commander';

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as { version: string };
const clock = systemClock;

/** The whole platform in one process. Started in the order of the arrows, stopped the other way round. */
async function startPlatform(config: Config, { open = false } = {}) {
  const log = createLog(config.LOG_LEVEL);
  const metrics = new MetricsRegistry();
  const dataDir = resolve(config.DATA_DIR);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockDataFolder(dataDir);

  const certificates = await loadCertificates(config, clock);
  const state = await openState(config.STATE_URL, { dataDir, clock });
  const registry = new Registry();
  await state.loadRegistry(registry);
  const journal = openJournal(config.JOURNAL_URL, {
    ...{ dataDir, max: config.JOURNAL_MAX, clock },
    // Without it nothing is acknowledged; only a new start, which replays, makes it whole. The supervisor starts us again.
    onDeath(reason) {
      log.fatal({ reason }, 'the journal has stopped; ending, to be started again');
      process.exit(1);
    },
  });
  const journalState = await journal.open();
  const readings = openReadings(config.READINGS_URL, { dataDir, log });

  const shared = { registry, clock, log, metrics };
  const ruleBook = createRuleBook({ ...shared, state });
  const timeZone = config.TIME_ZONE;
  const alerting = createAlerting({ ...shared, journal, journalState, state, rules: ruleBook, timeZone });
  const ingest = createIngest({
    ...shared,
    journal,
    journalState,
    readings,
    keepDays: { readings: config.READINGS_KEEP_DAYS, trends: config.TRENDS_KEEP_DAYS },
  });
  const broker = createBroker({ ...shared, intake: ingest.intake, state, config, tls: certificates, open });
  const health = (): HealthItem[] => [...ingest.health(), ...alerting.health(), ...broker.health()];
  const web = createWeb({
    ...shared,
    config,
    tls: certificates,
    state,
    journal,
    readings,
    book: alerting.book,
    ruleBook,
    liveRules: alerting.live,
    backtest: (query, most) => {
      const { zone, ...device } = registry.devices.get(query.device)!;
      const near = zone === null ? [device] : [...registry.devices.values()].filter((other) => other.zone === zone);
      const series = near.flatMap(({ id }) =>
        ingest.status.status(id).values.map(({ point, metric }, index) => ({ index, device: id, point, metric })),
      );
      return backtestHistory({ ...query, registry, series, timeZone, readings: boundedReadings(readings, most) });
    },
    status: ingest.status,
    health,
    mqttUpgrade: (ws, request) => broker.acceptWebSocket(ws, request),
    disconnectDevice: (device) => broker.disconnect(device),
  });

  ingest.subscribe(alerting);
  const services: Service[] = [ruleBook, alerting, ingest, broker, web];
  const started: Service[] = [];
  const stop = async () => {
    for (const service of started.splice(0).reverse()) await service.stop();
    await journal.close();
    await readings.close();
    await state.close();
    unlock();
  };
  try {
    for (const service of services) {
      started.push(service);
      await service.start();
    }
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  return { config, log, state, registry, journal, alerting, broker, web, certificates, stop };
}

type Platform = Awaited<ReturnType<typeof startPlatform>>;

function addresses({ config, broker, web, certificates }: Platform): Record<string, string> {
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? 'localhost' : config.HOST;
  const { mqtt, mqtts } = broker.address();
  return {
    console: config.PUBLIC_URL ?? `${config.TLS_CERT ? 'https' : 'http'}://${host}:${web.address()}`,
    mqtt: `mqtt://${host}:${mqtt}`,
    ...(mqtts === null
      ? {}
      : { mqtts: `mqtts://${host}:${mqtts}${certificates.privateCa ? `   CA: ${certificates.privateCa}` : ''}` }),
  };
}

function say(lines: Record<string, string>): void {
  for (const [name, text] of Object.entries(lines)) console.log(`${name.padEnd(10)} ${text}`);
}

/** Ends with Ctrl-C or SIGTERM: connections closed, checkpoints written. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping) process.exit(130);
      stopping = true;
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
}

async function start(): Promise<void> {
  const platform = await startPlatform(loadConfig(process.env));
  stopOnSignal(platform.stop);
  const link = await platform.web.setupLink();
  say({ ...addresses(platform), ...(link ? { 'set-up': link } : {}) });
  console.log('ready');
}

/** Everything at once on a throw-away folder: a demo county, its simulated fleet and a scripted fire within the first minute. */
async function demo(): Promise<void> {
  const kept = process.env.DATA_DIR;
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'smart-fire-demo-'));
  const platform = await startPlatform({ ...loadConfig(process.env), DATA_DIR: folder });
  const password = process.env.SMARTFIRE_DEMO_PASSWORD ?? randomBytes(12).toString('base64url');
  const roles = { admin: 'administrator', operator: 'operator', lead: 'duty-lead', auditor: 'auditor' } as const;
  for (const [username, role] of Object.entries(roles))
    await createPerson(platform.state, { username, name: username, password, role, scope: '/' }, { replace: true });
  const devices = await provision(platform.state, platform.registry, DEMO_COUNTY);
  const { mqtt } = platform.broker.address();
  const fleet = await runDemo({ host: platform.config.HOST, port: mqtt, devices, clock });
  stopOnSignal(async () => {
    await fleet.stop();
    await platform.stop();
    if (!kept) rmSync(folder, { recursive: true, force: true });
  });
  say({
    ...addresses(platform),
    'log in as': `${Object.keys(roles).join(', ')}   password ${password}`,
    data: kept ? folder : `${folder} (removed at the end)`,
  });
  console.log('ready');
}

/** Our broker with every guard and an open policy, loopback only, for foreign MQTT test suites. */
async function conformance(port: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'smart-fire-conformance-'));
  const config = {
    ...loadConfig({}),
    DATA_DIR: folder,
    HOST: '127.0.0.1',
    MQTT_PORT: port,
    MQTTS_PORT: 0,
    WEB_PORT: 0,
    LOG_LEVEL: 'warn' as const,
  };
  const platform = await startPlatform(config, { open: true });
  stopOnSignal(async () => {
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  say(addresses(platform));
  console.log('ready');
}

async function exportAllAlarms(options: { from?: number; to?: number }): Promise<void> {
  const config = loadConfig(process.env);
  const state = await openState(config.STATE_URL, { dataDir: resolve(config.DATA_DIR), clock });
  try {
    for await (const line of exportAlarms(state, options))
      if (!process.stdout.write(line)) await new Promise((next) => process.stdout.once('drain', next));
  } finally {
    await state.close();
  }
}

/** One rule over a recording or over stored history; exits with 0 whatever the rule found. */
async function backtest(options: Record<string, unknown>): Promise<void> {
  const config = loadConfig(process.env);
  const dataDir = resolve(config.DATA_DIR);
  const opened: (() => Promise<void> | void)[] = [];
  const registry = new Registry();
  const openRegistry = async () => {
    const state = await openState(config.STATE_URL, { dataDir, clock });
    opened.push(() => state.close());
    await state.loadRegistry(registry);
    return state;
  };
  const ownRule = async (id: string) => {
    if (!existsSync(dataDir)) return null;
    const book = createRuleBook({ state: await openRegistry(), registry, clock, log: createLog(config.LOG_LEVEL) });
    await book.start();
    await book.stop();
    return book.rule(id, '/') ?? null;
  };
  const history = async () => {
    if (!existsSync(dataDir))
      throw new FireError('FIRE_CONFIG_INVALID', { problems: `DATA_DIR: there is no ${dataDir}` });
    opened.push(lockDataFolder(dataDir));
    await openRegistry();
    const journal = openJournal(config.JOURNAL_URL, { dataDir, max: config.JOURNAL_MAX, clock });
    opened.push(() => journal.close());
    const { series, cursors, firstNo } = await journal.open();
    const readings = openReadings(config.READINGS_URL, { dataDir, log: createLog(config.LOG_LEVEL) });
    opened.push(() => readings.close());
    await readings.open(series);
    // What the store had only in memory when the platform ended; what is written again is there once.
    for (let no = cursors.readings ?? firstNo; ; ) {
      const batches = await journal.read(no, 20_000);
      if (batches.length === 0) break;
      await readings.write(batches);
      no = batches.at(-1)!.firstNo + batches.at(-1)!.count;
    }
    return { registry, readings, series };
  };
  let shown = 0;
  const onProgress = (share: number) => {
    if (!process.stderr.isTTY || (clock.now() - shown < 200 && share < 1)) return;
    shown = clock.now();
    process.stderr.write(share < 1 ? `\r\x1b[K${(100 * share).toFixed(0)} %` : '\r\x1b[K');
  };
  try {
    console.log(await backtestCommand(options, { timeZone: config.TIME_ZONE, ownRule, history, onProgress }));
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

/** The rule book of a platform that is stopped: a running one would not see what is changed behind its back. */
async function withRuleBook<T>(work: (book: RuleBook) => Promise<T>): Promise<T> {
  const config = loadConfig(process.env);
  const dataDir = resolve(config.DATA_DIR);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockDataFolder(dataDir);
  try {
    const state = await openState(config.STATE_URL, { dataDir, clock });
    const registry = new Registry();
    await state.loadRegistry(registry);
    const book = createRuleBook({ state, registry, clock, log: createLog(config.LOG_LEVEL) });
    try {
      await book.start();
      return await work(book);
    } finally {
      await book.stop();
      await state.close();
    }
  } finally {
    unlock();
  }
}

/** All or nothing; every problem with its line. */
async function importRules(file: string, { dryRun = false }: { dryRun?: boolean }): Promise<void> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new FireError('FIRE_BACKTEST_FILE', { file, problem: (error as Error).message });
  }
  const actor = { id: 'system', scope: '/' };
  const { errors, created, changed, unchanged } = await withRuleBook((book) =>
    book.importYaml(actor, text, { dryRun }),
  );
  for (const { line, path, en } of errors) console.error(`${file}:${line}: ${path && `${path}: `}${en}`);
  if (errors.length > 0) process.exitCode = 1;
  else console.log(`${created.length} created, ${changed.length} changed, ${unchanged.length} unchanged`);
}

function parseTime(text: string): number {
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(time))
    throw new InvalidArgumentError('give RFC 3339 such as 2026-11-23T08:00:00+08:00, or ms since 1970');
  return time;
}

async function verifyAuditTrail(): Promise<void> {
  const config = loadConfig(process.env);
  const state = await openState(config.STATE_URL, { dataDir: resolve(config.DATA_DIR), clock });
  const { rows, head, broken } = await verifyAudit(state.db);
  await state.close();
  if (broken) {
    console.error(`broken at row ${broken.no}: ${broken.reason}`);
    process.exitCode = 1;
  } else console.log(`${rows} rows, the chain holds, head ${head}`);
}

function checkConfig(): void {
  const config = loadConfig(process.env);
  for (const [name, value] of Object.entries(config))
    console.log(`${name}=${String(value).replace(/\/\/[^@/]*@/, '//***@')}`);
}

const program = new Command('smart-fire')
  .description('智慧消防服务中心平台 · the platform of a smart-fire service centre')
  .version(version);
program
  .command('start')
  .description('run the platform; prints a one-time set-up link until an administrator exists')
  .action(start);
program
  .command('demo')
  .description('run the platform with a demo county, its simulated fleet and a scripted fire')
  .action(demo);
program
  .command('conformance')
  .description('serve the broker with an open policy on loopback, for foreign MQTT test suites')
  .requiredOption('--port <number>', 'TCP port', Number)
  .action(({ port }: { port: number }) => conformance(port));
simulateOptions
  .addTo(program.command('simulate').description('simulate a fleet of devices, with scenarios'))
  .action(simulate);
loadOptions
  .addTo(program.command('load').description('publish QoS 1 readings at a high rate and count what was acknowledged'))
  .action(load);
program
  .command('backtest')
  .description('run one rule over a recording or stored history: the alarms it would have raised')
  .requiredOption('--rule <rule>', 'YAML or JSON file, id of an own rule in DATA_DIR, or preset:NAME')
  .option('--csv <file>', 'recording with a header; ; or , is found by itself')
  .option('--time <column>', 'numbers are ms (COLUMN:s = seconds), text is parsed (no offset = TIME_ZONE)')
  .option('--values <columns>', 'COLUMN[=metric],…; without =metric a column is a metric of its own')
  .option('--label <column>', '0/1: what the alarms are judged by')
  .option('--warmup <rows>', 'first rows that teach and are not judged: 400 or 15% (default: those of the rule)')
  .option('--out <file>', 'CSV time,alarm,level,score: one row per row after the warm-up')
  .option('--device <id>', 'stored history of a device, with --from and --to; the platform must be stopped')
  .option('--from <time>', 'RFC 3339 or ms since 1970', parseTime)
  .option('--to <time>', 'RFC 3339 or ms since 1970', parseTime)
  .action(backtest);
program
  .command('alarms')
  .description('work with alarms')
  .command('export')
  .description('write alarms with their timelines as JSON lines, newest first')
  .option('--from <time>', 'RFC 3339 or ms since 1970', parseTime)
  .option('--to <time>', 'RFC 3339 or ms since 1970', parseTime)
  .action(exportAllAlarms);
const rules = program.command('rules').description('work with rules; the platform must be stopped');
rules
  .command('export')
  .description('write every rule as YAML, with units')
  .action(async () => void process.stdout.write(await withRuleBook(async (book) => book.exportYaml('/'))));
rules
  .command('import <file>')
  .description('take rules from YAML: all or nothing; other rules stay as they are')
  .option('--dry-run', 'only say what would happen')
  .action(importRules);
program
  .command('config')
  .description('work with the configuration')
  .command('check')
  .description('print the configuration in force, or every problem in it')
  .action(checkConfig);
program
  .command('audit')
  .description('work with the audit trail')
  .command('verify')
  .description('recompute the hash chain')
  .action(verifyAuditTrail);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof FireError)) throw error;
  console.error(error.message);
  process.exit(1);
}
