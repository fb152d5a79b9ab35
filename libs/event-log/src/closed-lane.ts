import type { StoredEvent } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

import type { EventLog, Lane, LaneEnd } from './event-log.js';

/** Tombstone and fence: nothing is ever appended after it, and what came before it is erased. */
export const LANE_CLOSED = 'LaneClosed';

export function isClosed({ message }: LaneEnd): boolean {
  return closes(message?.events ?? []);
}

export function closes(events: readonly StoredEvent[]): boolean {
  return events.some(({ type }) => type === LANE_CLOSED);
}

/** Whether the session was deleted, as the leader has it; also once its messages are erased. Nothing on `core` follows its deletion. */
export async function isSessionDeleted(log: EventLog, sessionId: string): Promise<boolean> {
  const { message } = await log.laneEnd({ entity: 'session', id: sessionId, name: 'core' });
  return message?.events.some(({ type }) => type === 'SessionDeleted' || type === LANE_CLOSED) ?? false;
}

export function laneClosed({ entity, id, name }: Lane): Rejection {
  return new Rejection('lane.closed', `Nothing is appended to lane ${name} of ${entity} ${id} any more: it was deleted.`, { id, lane: name });
}
