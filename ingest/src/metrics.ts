import { Counter, Gauge, Histogram, type MetricsRegistry } from '@smart-fire/core/node';

/** Ingest's figures for Prometheus; `gauges` are read when somebody asks. */
export interface IngestMetrics {
  readings: Counter;
  events: Counter;
  duplicates: Counter;
  deadLetters: Counter<'code'>;
  refused: Counter<'reason'>;
  commitSeconds: Histogram;
}

export function createIngestMetrics(
  registry: MetricsRegistry,
  gauges: { journalBytes(): number; accepting(): boolean; lagEntries(): number; lagSeconds(): number },
): IngestMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('smartfire_journal_bytes', 'Bytes of the journal on disk', gauges.journalBytes);
  gauge('smartfire_accepting', '1 while PUBACKs can be given', () => Number(gauges.accepting()));
  gauge('smartfire_readings_lag_entries', 'Journal entries the readings store has not got yet', gauges.lagEntries);
  gauge('smartfire_readings_lag_seconds', 'Age of the oldest of them', gauges.lagSeconds);
  return {
    readings: new Counter({ name: 'smartfire_readings_total', help: 'Readings committed', registers }),
    events: new Counter({ name: 'smartfire_events_total', help: 'Events committed', registers }),
    duplicates: new Counter({
      name: 'smartfire_duplicates_total',
      help: 'Values and events dropped as repeats',
      registers,
    }),
    deadLetters: new Counter({
      name: 'smartfire_dead_letters_total',
      help: 'Messages with a refused part, by the first code',
      labelNames: ['code'],
      registers,
    }),
    refused: new Counter({
      name: 'smartfire_refused_total',
      help: 'Messages refused before they could be decoded, or because the journal could not take them',
      labelNames: ['reason'],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'smartfire_commit_seconds',
      help: 'Duration of a grouped commit',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
      registers,
    }),
  };
}
