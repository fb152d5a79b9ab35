import type { SessionEvent } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';
import { stampEvents } from '@bullpen/event-log';
import type { EventLog, LogMessage, SessionHead, Tail } from '@bullpen/event-log';
import type { Logger } from '@bullpen/telemetry';

import { OPENING_FEED, openFeed, takeMessage } from '../../core/session-feed.js';
import type { FeedStep, SessionFeed } from '../../core/session-feed.js';

type Listener = (events: readonly SessionEvent[]) => void;

interface OpenFeed {
  feed: SessionFeed;
  opening: Promise<void>;
  readonly listeners: Set<Listener>;
}

type MessageListener = (message: LogMessage) => void;

/** The process's one tail, dealt out to sessions that somebody watches, and to who wants all of it. */
export class SessionFeeds {
  readonly #feeds = new Map<string, OpenFeed>();
  readonly #messageListeners = new Set<MessageListener>();
  #tail: Tail | null = null;

  constructor(
    private readonly log: EventLog,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const fromSequence = (await this.log.lastSequence()) + 1;
    this.#tail = await this.log.tail({ fromSequence }, (message) => this.#take(message));
  }

  async stop(): Promise<void> {
    await this.#tail?.stop();
    this.#feeds.clear();
  }

  /**
   * From the moment this resolves the listener gets every event of the session above some position that is not above the
   * session's head on the leader: a later read up to the head, and these events, leave nothing out.
   */
  async listen(sessionId: string, listener: Listener): Promise<() => void> {
    const entry = this.#feeds.get(sessionId) ?? this.#open(sessionId);
    entry.listeners.add(listener);
    const leave = (): void => this.#leave(sessionId, entry, listener);
    try {
      await entry.opening;
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  /** Every message that the tail brings from now on. @returns what ends it */
  listenToAll(listener: MessageListener): () => void {
    this.#messageListeners.add(listener);
    return () => this.#messageListeners.delete(listener);
  }

  /** From the leader, never from the tail. */
  head(sessionId: string): Promise<SessionHead> {
    return this.log.sessionHead(sessionId);
  }

  /** Last event handed to listeners; null when nobody watches. */
  lastSent(sessionId: string): string | null {
    const feed = this.#feeds.get(sessionId)?.feed;
    return feed?.phase === 'open' ? feed.last : null;
  }

  watched(): readonly string[] {
    return [...this.#feeds.keys()];
  }

  #open(sessionId: string): OpenFeed {
    const entry: OpenFeed = { feed: OPENING_FEED, opening: Promise.resolve(), listeners: new Set() };
    // In the map before the leader is asked: no message can fall between.
    this.#feeds.set(sessionId, entry);
    entry.opening = this.log.sessionHead(sessionId).then((head) => {
      this.#advance(entry, openFeed(entry.feed, head, stampEvents));
      if (entry.feed.phase === 'open') return;
      throw new Fault('sync.overflowed', `Session ${sessionId} moves faster than it could be opened. Subscribe again.`);
    });
    return entry;
  }

  #leave(sessionId: string, entry: OpenFeed, listener: Listener): void {
    entry.listeners.delete(listener);
    if (entry.listeners.size === 0 && this.#feeds.get(sessionId) === entry) this.#feeds.delete(sessionId);
  }

  #take(message: LogMessage): void {
    const entry = message.lane.entity === 'session' ? this.#feeds.get(message.lane.id) : undefined;
    if (entry !== undefined) this.#advance(entry, takeMessage(entry.feed, message, stampEvents));
    for (const listener of this.#messageListeners) this.#tell(listener, message);
  }

  #advance(entry: OpenFeed, { feed, events }: FeedStep): void {
    entry.feed = feed;
    if (events.length === 0) return;
    for (const listener of entry.listeners) this.#tell(listener, events);
  }

  /** One watcher's trouble must not stop the tail of all. */
  #tell<What>(listener: (what: What) => void, what: What): void {
    try {
      listener(what);
    } catch (error) {
      this.logger.error('a watcher broke', { error });
    }
  }
}
