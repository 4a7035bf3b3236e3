import { hash } from 'node:crypto';
import type { Alarm } from '@smart-fire/core';
import type { RaiseEffect } from '../rules/effect.ts';

/** RFC 9562 name space of our alarm ids (a random UUID, fixed for ever). */
const NAMESPACE = Buffer.from('5a1f7c0e9b3d4e6882a4c6d0f1e35b79', 'hex');

/**
 * UUIDv5 (RFC 9562 §5.5) of the cause, the opening journal number and when that arrived (ms UTC): the same after every replay. The number
 * alone may belong to two entries, one of which the journal refused.
 */
export function alarmId(cause: string, no: number, receivedAt: number): string {
  const bytes = hash('sha1', Buffer.concat([NAMESPACE, Buffer.from(`${cause}@${no}@${receivedAt}`)]), 'buffer');
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A new alarm as its first effect makes it. */
export function openAlarm(effect: RaiseEffect, saved: boolean): Alarm {
  const { cause, no, device, point, site, zone, rule, event, explanation, time, receivedAt } = effect;
  return {
    id: alarmId(cause, no, receivedAt),
    cause,
    class: effect.class,
    level: effect.level,
    state: 'active-unacknowledged',
    device,
    point,
    site,
    zone,
    rule,
    event,
    raisedAt: time,
    receivedAt,
    repeatedAt: receivedAt,
    clearedAt: null,
    count: 1,
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgeReason: null,
    verdict: null,
    verifiedBy: null,
    verifiedAt: null,
    closedBy: null,
    closedAt: null,
    openedNo: no,
    explanation,
    version: 1,
    saved,
  };
}
