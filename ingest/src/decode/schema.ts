import { type DeadLetterCode, METRIC_NAMES, type Metric } from '@smart-fire/core';
import { z } from 'zod';

/** Most items of one telemetry array. */
export const ITEMS_MAX = 1000;
/** Most UTF-16 units of an event's detail. */
export const DETAIL_MAX = 1000;
/** A point's name: up to 64 printable characters; '' is the device itself. Control, format, private and lone surrogate code points are not printable. */
export const POINT = /^[^\p{C}\p{Zl}\p{Zp}]{0,64}$/u;
/** One lower-case word, so that `FIRE` is refused aloud instead of being kept as an unknown word that raises nothing. */
export const EVENT_WORD = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Why a part was refused, for the installer; the console's own words are made from the codes. */
export const REFUSALS: Record<DeadLetterCode, string> = {
  NOT_JSON: 'is no JSON',
  NOT_UTF8: 'is no UTF-8',
  SHAPE: 'is missing or has the wrong type',
  TOO_MANY: `holds more than ${ITEMS_MAX} items`,
  TS_REQUIRED: 'every item of an array needs ts',
  UNKNOWN_METRIC: 'is no metric',
  NOT_A_NUMBER: 'is no finite number',
  BAD_POINT: 'is no printable text of at most 64 characters',
  BAD_EVENT: 'is no word of lower-case letters, digits and -',
  SAME_TIME: 'another value is known at the same time',
  UNKNOWN_TOPIC: 'the topic is not one of this device',
  TOO_LARGE: 'the packet is larger than MQTT_MAX_PACKET',
  DISABLED: 'the device is disabled',
  REFUSED_BY_STORE: 'the readings store refused it',
};

/** The code travels as zod's message, so that the schema itself says which refusal it is. */
const refuse = (code: DeadLetterCode) => ({ error: code });

const integer = z.int(refuse('SHAPE'));
const point = z.string(refuse('BAD_POINT')).regex(POINT, refuse('BAD_POINT'));
const value = z.number(refuse('NOT_A_NUMBER')).optional();

/** `{"<metric>": number}`; a key that is no metric is refused by itself. */
const values = z.strictObject(
  Object.fromEntries(METRIC_NAMES.map((name) => [name, value])) as Record<Metric, typeof value>,
  { error: (issue) => (issue.code === 'unrecognized_keys' ? 'UNKNOWN_METRIC' : 'SHAPE') },
);

/** Unknown keys beside these are ignored: v1 only gains fields. */
const fields = { seq: integer.optional(), point: point.optional() };

/** One telemetry object. `ts`: integer ms since the epoch. */
export const telemetryItemSchema = z.object({ ts: integer.optional(), ...fields, values }, refuse('SHAPE'));

/** An item of an array, where `ts` is required. */
export const timedItemSchema = z.object(
  {
    ts: z.int({ error: (issue) => (issue.input === undefined ? 'TS_REQUIRED' : 'SHAPE') }),
    ...fields,
    values,
  },
  refuse('SHAPE'),
);

/** What a device declares. */
export const eventSchema = z.object(
  {
    ts: integer.optional(),
    ...fields,
    event: z.string(refuse('BAD_EVENT')).regex(EVENT_WORD, refuse('BAD_EVENT')),
    detail: z.string(refuse('SHAPE')).max(DETAIL_MAX, refuse('SHAPE')).optional(),
  },
  refuse('SHAPE'),
);

/** What a device claims of itself. */
export const stateSchema = z.object({ online: z.boolean(refuse('SHAPE')) }, refuse('SHAPE'));
