import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import type { JsonValue, SessionEvent } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import { isSessionDeleted, parseEventId } from '@bullpen/event-log';
import type { EventLog, SessionHead } from '@bullpen/event-log';

export interface EventPage {
  readonly epoch: string;
  /** Oldest first. */
  readonly events: readonly SessionEvent[];
  readonly head: string;
  /** Whether the session has more in the direction that was asked for. */
  readonly more: boolean;
}

export interface PageRange {
  readonly sessionId: string;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** After which event to read the log, to find at least `count` events before one. Never throws: without an answer it is `0`. */
export type LocateEvents = (wanted: { readonly sessionId: string; readonly before: string; readonly count: number }) => Promise<string>;

/** Pages of a session's events, and the question whether one of them names an object. */
export class EventPages {
  constructor(
    private readonly log: EventLog,
    private readonly locate: LocateEvents,
  ) {}

  /** @throws Rejection `session.not-found`, `event.unknown` */
  async page({ sessionId, after, before, limit }: PageRange): Promise<EventPage> {
    const head = await this.#head(sessionId);
    const page =
      before === undefined
        ? await this.#after({ sessionId, after, limit }, head.sequence)
        : await this.#before(sessionId, before, limit);
    return { epoch: this.log.epoch, ...page, head: head.id };
  }

  /** @throws Rejection `session.not-found`, `object.not-found` */
  async requireObject(sessionId: string, sha256: string): Promise<void> {
    await this.#head(sessionId);
    for await (const event of this.log.readSession(sessionId, { after: BEFORE_ALL_EVENTS })) {
      if (refersTo(event.data, sha256)) return;
    }
    throw new Rejection('object.not-found', `Session ${sessionId} has no object ${sha256}.`, { sessionId, sha256 });
  }

  async #head(sessionId: string): Promise<SessionHead> {
    const head = await this.log.sessionHead(sessionId);
    if (head.id === BEFORE_ALL_EVENTS || (await isSessionDeleted(this.log, sessionId))) throw sessionNotFound(sessionId);
    return head;
  }

  /** Up to the head that the page names, and no further: `more` and `head` are of one moment. */
  async #after({ sessionId, after = BEFORE_ALL_EVENTS, limit }: PageRange, throughSequence: number) {
    const events: SessionEvent[] = [];
    for await (const event of this.log.readSession(sessionId, { after, throughSequence })) {
      if (events.length === limit) return { events, more: true };
      events.push(event);
    }
    return { events, more: false };
  }

  /** The log is no index: where to begin is asked for. What is there, the log says, so that an index which is behind costs time only. */
  async #before(sessionId: string, before: string, limit: number) {
    const throughSequence = parseEventId(before)?.sequence ?? 0;
    const after = await this.locate({ sessionId, before, count: limit + 1 });
    const events: SessionEvent[] = [];
    let more = false;
    for await (const event of this.log.readSession(sessionId, { after, throughSequence })) {
      if (event.id === before) return { events, more };
      events.push(event);
      if (events.length <= limit) continue;
      events.shift();
      more = true;
    }
    throw new Rejection('event.unknown', `Session ${sessionId} has no event ${before}. Use an id that this session gave.`, { sessionId, before });
  }
}

export function sessionNotFound(sessionId: string): Rejection {
  const message = `There is no session ${sessionId}. Check its id, or list the sessions there are.`;
  return new Rejection('session.not-found', message, { sessionId });
}

/** By a reference, not by text that happens to be the hash: a prompt must not open an object of another session. */
function refersTo(value: JsonValue, sha256: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => (key === 'sha256' && inner === sha256) || refersTo(inner, sha256));
}
