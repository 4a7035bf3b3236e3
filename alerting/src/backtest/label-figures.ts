/** What alarms were worth, row by row against a label and event by event (an event = consecutive rows labelled 1). */
export interface LabelFigures {
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
  trueNegatives: number;
  events: number;
  /** Events with an alarm in at least one of their rows. */
  seen: number;
  /** Alarms that began on a row labelled 0. */
  falseStarts: number;
  /** By seen event, ms from its first row to the first row in alarm; 0 when the alarm was there before it. */
  delays: number[];
  /** By event that began in alarm, ms that the alarm had been there. */
  leads: number[];
}

/** Rows without a label are left out; they end no event. */
export function createLabelFigures(): {
  figures: LabelFigures;
  row(time: number, alarm: boolean, label: number): void;
} {
  const figures: LabelFigures = {
    ...{ truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 },
    ...{ events: 0, seen: 0, falseStarts: 0, delays: [], leads: [] },
  };
  let alarmSince = NaN;
  let eventSince = NaN;
  let eventSeen = false;
  return {
    figures,
    row(time, alarm, label) {
      const starts = alarm && Number.isNaN(alarmSince);
      if (starts && label === 0) figures.falseStarts++;
      if (label === 1 && Number.isNaN(eventSince)) {
        eventSince = time;
        eventSeen = false;
        figures.events++;
        if (alarm && !starts) figures.leads.push(time - alarmSince);
      }
      if (label === 0) eventSince = NaN;
      if (!alarm) alarmSince = NaN;
      else if (starts) alarmSince = time;
      if (label === 1) {
        if (alarm) figures.truePositives++;
        else figures.falseNegatives++;
        if (alarm && !eventSeen) {
          eventSeen = true;
          figures.seen++;
          figures.delays.push(time - eventSince);
        }
      } else if (label === 0) {
        if (alarm) figures.falsePositives++;
        else figures.trueNegatives++;
      }
    },
  };
}

/** Figures of several recordings as if they were one. */
export function poolFigures(parts: readonly LabelFigures[]): LabelFigures {
  const { figures } = createLabelFigures();
  for (const part of parts) {
    for (const name of COUNTS) figures[name] += part[name];
    figures.delays.push(...part.delays);
    figures.leads.push(...part.leads);
  }
  return figures;
}

const COUNTS = [
  ...(['truePositives', 'falsePositives', 'falseNegatives', 'trueNegatives'] as const),
  ...(['events', 'seen', 'falseStarts'] as const),
];

/** Ratios as they are published, 0 to 1; NaN where there is nothing to divide by. */
export function ratios({ truePositives, falsePositives, falseNegatives, trueNegatives }: LabelFigures): {
  precision: number;
  recall: number;
  f1: number;
  /** FP / (FP + TN) */
  falseAlarmRate: number;
  /** FN / (FN + TP) */
  missedAlarmRate: number;
} {
  return {
    precision: truePositives / (truePositives + falsePositives),
    recall: truePositives / (truePositives + falseNegatives),
    f1: (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
    falseAlarmRate: falsePositives / (falsePositives + trueNegatives),
    missedAlarmRate: falseNegatives / (falseNegatives + truePositives),
  };
}

/** NaN of nothing. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted.length === 0 ? NaN : (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
