import { openReadings } from '@smart-fire/core/node';
import { pino } from 'pino';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe } from 'vitest';
import { readingsContract } from '../../core/src/testing/readings.contract.ts';
import { missingImages } from '../harness/docker.ts';

const IMAGE = 'influxdb:1.8';

describe.skipIf(missingImages(() => [IMAGE]))('InfluxDB in a container', () => {
  let container: StartedTestContainer;
  const databases = new Map<string, string>();

  beforeAll(async () => {
    container = await new GenericContainer(IMAGE)
      .withExposedPorts(8086)
      .withWaitStrategy(Wait.forHttp('/ping', 8086).forStatusCode(204))
      .start();
  });
  afterAll(async () => {
    await container?.stop();
  });

  readingsContract(IMAGE, {
    // The folder is fresh for each test and the same when it reopens: so is the database.
    open: ({ dataDir }) => {
      const database = databases.get(dataDir) ?? `contract${databases.size}`;
      databases.set(dataDir, database);
      const url = `influx://${container.getHost()}:${container.getMappedPort(8086)}/${database}`;
      return openReadings(url, { dataDir, log: pino({ level: 'silent' }) });
    },
    runs: 5,
    keepsTrends: false,
  });
});
