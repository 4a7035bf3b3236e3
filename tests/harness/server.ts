import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const READY_MS = 30_000;
const STOP_MS = 20_000;
/** What a server that did not come up said last. */
const KEPT_LINES = 40;

export interface ServerPorts {
  web: number;
  mqtt: number;
  mqtts: number;
}

/**
 * The real platform as a process of its own (`smart-fire start`), on free ports and a throw-away data folder. It may be killed and started
 * again: ports and data stay.
 */
export class SmartFireServer {
  readonly ports: ServerPorts;
  readonly dataDir: string;
  readonly #env: Record<string, string>;
  #child: ChildProcess | null = null;
  #lines: string[] = [];

  private constructor(ports: ServerPorts, env: Record<string, string>) {
    this.ports = ports;
    this.dataDir = mkdtempSync(join(tmpdir(), 'smart-fire-server-'));
    this.#env = env;
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** Up and ready. `env` are settings beside ports and folder. */
  static async launch(env: Record<string, string> = {}): Promise<SmartFireServer> {
    const [web, mqtt, mqtts] = await freePorts(3);
    const server = new SmartFireServer({ web: web!, mqtt: mqtt!, mqtts: mqtts! }, env);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.web}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Null while it runs, and after a signal. */
  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  /** What it printed since its last start, log included. */
  get output(): string {
    return this.#lines.join('\n');
  }

  /** The one-time token of the set-up link, or null when none was printed. */
  get setupToken(): string | null {
    return /\/setup#(\S+)/.exec(this.output)?.[1] ?? null;
  }

  /** Resolves when it says `ready`; rejects with its last lines when it ends before. */
  async start(): Promise<void> {
    this.#lines = [];
    const child = spawn(process.execPath, ['smart-fire.ts', 'start'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...environmentWithoutOurs(),
        LOG_LEVEL: 'warn',
        DATA_DIR: this.dataDir,
        WEB_PORT: String(this.ports.web),
        MQTT_PORT: String(this.ports.mqtt),
        MQTTS_PORT: String(this.ports.mqtts),
        ...this.#env,
      },
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => {
        child.kill('SIGKILL');
        reject(new Error(`smart-fire ${reason}:\n${this.output}`));
      };
      const timer = setTimeout(() => fail(`was not ready within ${READY_MS} ms`), READY_MS);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(`ended with ${code ?? signal}`);
      });
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on('line', (line) => {
          this.#lines.push(line);
          // The first lines have the link, the last ones what went wrong.
          if (this.#lines.length > 2 * KEPT_LINES) this.#lines.splice(KEPT_LINES, 1);
          if (line !== 'ready') return;
          clearTimeout(timer);
          resolve();
        });
    });
  }

  /** Ends it with a signal and waits until it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const giveUp = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill(signal);
    await gone;
    clearTimeout(giveUp);
  }

  /** Ends it for good and removes its data. */
  async remove(): Promise<void> {
    await this.kill('SIGTERM');
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Free at this moment, all at once so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const { port } = server.address() as { port: number };
      await new Promise((resolve) => server.close(resolve));
      return port;
    }),
  );
}

/** The settings of whoever runs the tests are not the test's. */
function environmentWithoutOurs(): NodeJS.ProcessEnv {
  const ours =
    /^(DATA_DIR|HOST|PUBLIC_URL|TIME_ZONE|LOG_LEVEL|SMARTFIRE_CONFIG|(WEB|MQTTS?)_PORT|(STATE|READINGS|TRENDS|JOURNAL|MQTT|TLS)_.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
