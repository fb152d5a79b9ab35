import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import type { ProjectedEvent, Projector } from '@bullpen/eventsourcing';
import { compareEventIds } from '@bullpen/session-model';

/** Closer marks make a page read less, and the row larger. */
const EVENTS_PER_MARK = 100;

/** How many events a session has, and where they lie. Nothing that people wrote. */
export interface IndexedSession {
  readonly sessionId: string;
  readonly events: number;
  /** Last event counted. */
  readonly rev: string;
  /** Id of every hundredth event, in order. */
  readonly marks: readonly string[];
}

export const eventIndexProjector: Projector<ProjectedEvent, IndexedSession> = {
  name: 'event-index.v1',
  handles: 'all',
  rowId: (event) => event.lane.id,
  apply: (row, event) => {
    if (event.type === 'SessionDeleted' || event.type === 'LaneClosed') return null;
    const before = event.type === 'SessionCreated' ? (row ?? unread(event.lane.id)) : row;
    // A repository, or what is appended while a deletion is under way.
    if (before === null || compareEventIds(event.id, before.rev) <= 0) return before;
    const events = before.events + 1;
    const marks = events % EVENTS_PER_MARK === 0 ? [...before.marks, event.id] : before.marks;
    return { ...before, events, rev: event.id, marks };
  },
};

/**
 * The mark after which to read, so that at least `count` events lie between it and `before`; the session's start when no mark is so far back. Each
 * mark stands for a hundred events, so that few more are read, and whoever begins earlier finds the same.
 */
export function readingStart(marks: readonly string[], before: string, count: number): string {
  const known = marks.filter((mark) => compareEventIds(mark, before) < 0).length;
  return marks[known - Math.ceil(count / EVENTS_PER_MARK) - 1] ?? BEFORE_ALL_EVENTS;
}

function unread(sessionId: string): IndexedSession {
  return { sessionId, events: 0, rev: BEFORE_ALL_EVENTS, marks: [] };
}
