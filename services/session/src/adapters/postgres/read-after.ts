import { setTimeout as delay } from 'node:timers/promises';

import type { DataSource } from 'typeorm';

import { Rejection } from '@bullpen/errors';
import { parseEventId } from '@bullpen/event-log';
import { readProjectionPosition } from '@bullpen/eventsourcing';
import type { ProjectionPosition } from '@bullpen/eventsourcing';

import { SCHEMA } from './session-list.entity.js';

const MAX_WAIT_MS = 1_000;
const POLL_MS = 20;

/** Whether the projection has come so far, waiting for it a little. A position in another log says nothing. */
export async function reached(dataSource: DataSource, projector: string, { epoch, sequence }: ProjectionPosition): Promise<boolean> {
  const until = Date.now() + MAX_WAIT_MS;
  for (;;) {
    const position = await readProjectionPosition(dataSource, SCHEMA, projector);
    if (position?.epoch === epoch && position.sequence >= sequence) return true;
    if (Date.now() >= until) return false;
    await delay(POLL_MS);
  }
}

/** Of the event that a list must include; 0 for none. @throws Rejection `event.unknown` */
export function sequenceToReach(after: string): number {
  if (after === '') return 0;
  const position = parseEventId(after);
  if (position) return position.sequence;
  throw new Rejection('event.unknown', '`after` is no event id. Give the `head` that a command answered with.', { after });
}
