import { pino } from 'pino';
import { readingsContract } from '../../../testing/readings.contract.ts';
import { openReadings } from '../open.ts';

const log = pino({ level: 'silent' });

readingsContract('embedded', {
  open: ({ dataDir }) => openReadings('sqlite:readings.db', { dataDir, log }),
  runs: 40,
  keepsHours: true,
});
