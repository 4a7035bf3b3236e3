export { between, gaussian } from '../sensors/parts/noise.ts';
export { FakeClock } from './fake-clock.ts';
export { MemoryJournal } from './memory-journal.ts';
export { MemoryReadings } from './memory-readings.ts';
export { runSensor, type SensorOutcome, type SensorRun } from './sensor-run.ts';
export {
  type Habits,
  RECORDINGS,
  type SimulatedRecording,
  simulateRecording,
  type Trouble,
} from './simulated-recording.ts';
