import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { find, missing, notRun } from './require.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const PULL_MS = 300_000;

/** For `describe.skipIf(…)`: no engine, or an image that is neither here nor to be had from its registry. */
export function missingImages(names: () => string[]): boolean {
  if (missing('docker')) return true;
  return names().some((name) => {
    const docker = (...args: string[]) => spawnSync('docker', args, { stdio: 'ignore', timeout: PULL_MS }).status === 0;
    if (docker('image', 'inspect', name) || docker('pull', '--quiet', name)) return false;
    notRun(`needs the image ${name}`);
    return true;
  });
}

/** One start of docker-compose.yml (or of COMPOSE_FILE) under a project name, with ports and secrets of its own. */
export class Compose {
  readonly #command = find('docker-compose') ? ['docker-compose'] : ['docker', 'compose'];
  readonly secret = randomBytes(16).toString('hex');
  readonly #env: NodeJS.ProcessEnv;

  constructor(ports: { web: number; mqtt: number; mqtts: number }) {
    this.#env = {
      ...process.env,
      COMPOSE_PROJECT_NAME: `smartfire-test-${process.pid}`,
      INFLUXDB_TOKEN: this.secret,
      INFLUXDB_PASSWORD: this.secret,
      WEB_PORT: String(ports.web),
      MQTT_PORT: String(ports.mqtt),
      MQTTS_PORT: String(ports.mqtts),
    };
  }

  /** Runs `docker-compose …args`; rejects with what it said. */
  async run(...args: string[]): Promise<string> {
    const [program, ...first] = this.#command as [string, ...string[]];
    const options = { cwd: root, env: this.#env, maxBuffer: 64 * 1024 ** 2 };
    const { stdout } = await run(program, [...first, ...args], options).catch(
      (error: { stdout?: string; stderr?: string }) => {
        throw new Error(`docker-compose ${args.join(' ')}:\n${`${error.stdout}\n${error.stderr}`.slice(-4000)}`);
      },
    );
    return stdout;
  }

  exec(service: string, ...command: string[]): Promise<string> {
    return this.run('exec', '-T', service, ...command);
  }

  /** healthy, unhealthy or starting, as the engine sees it; null where there is no container. */
  async health(service: string): Promise<string | null> {
    const id = (await this.run('ps', '-q', service)).trim();
    if (!id) return null;
    return (await run('docker', ['inspect', '--format', '{{.State.Health.Status}}', id])).stdout.trim();
  }

  /** What it is built from and runs. */
  images(): string[] {
    const [program, ...first] = this.#command as [string, ...string[]];
    const config = spawnSync(program, [...first, 'config'], { cwd: root, env: this.#env, encoding: 'utf8' }).stdout;
    const built = readFileSync(`${root}/Dockerfile`, 'utf8').matchAll(/^FROM ([^ \n]*:[^ \n]*)/gm);
    const pulled = config.matchAll(/^ +image: (\S+:\S+)$/gm);
    return [...new Set([...built, ...pulled].map((match) => match[1]!))];
  }
}
