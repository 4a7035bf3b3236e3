import { ALARM_CLASSES } from '@smart-fire/core';
import { Counter, Gauge, type MetricsRegistry } from '@smart-fire/core/node';
import type { Book } from './alarms/book.ts';
import type { Engine } from './rules/engine.ts';

/** Figures of the engine and the book, read when they are asked for; only alarms are counted as they happen. */
export function registerMetrics(registry: MetricsRegistry, book: Book, engine: () => Engine | null): void {
  const registers = [registry];
  const changes = new Counter({
    name: 'smartfire_alarm_changes_total',
    help: 'Changes of alarms by class and action',
    labelNames: ['class', 'action'],
    registers,
  });
  book.onChange((alarm, action) => changes.inc({ class: alarm.class, action }));
  new Gauge({
    name: 'smartfire_alarms_unclosed',
    help: 'Unclosed alarms by class',
    labelNames: ['class'],
    registers,
    collect() {
      const counts = new Map<string, number>(ALARM_CLASSES.map((name) => [name, 0]));
      for (const alarm of book.causes()) counts.set(alarm.class, counts.get(alarm.class)! + 1);
      for (const [name, count] of counts) this.set({ class: name }, count);
    },
  });
  new Gauge({
    name: 'smartfire_alarm_changes_unsaved',
    help: 'Changes of alarms that the state store does not have yet',
    registers,
    collect() {
      this.set(book.status().unsaved);
    },
  });
  const figures = {
    smartfire_rule_evaluations: ['Steps of rules since start', (of: Engine) => of.evaluations],
    smartfire_rule_state_bytes: ['Bytes of rule state', (of: Engine) => of.stateBytes],
    smartfire_rule_engine_next: ['Number of the next journal entry the rule engine takes', (of: Engine) => of.next],
    smartfire_events_ignored: ['Events of devices that no longer exist', (of: Engine) => of.ignored],
  } as const;
  for (const [name, [help, figure]] of Object.entries(figures))
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const running = engine();
        if (running) this.set(figure(running));
      },
    });
  new Gauge({
    name: 'smartfire_rule_errors',
    help: 'How often a rule threw since start',
    labelNames: ['rule'],
    registers,
    collect() {
      for (const { id, errors } of engine()?.rules() ?? []) if (errors > 0) this.set({ rule: id }, errors);
    },
  });
}
