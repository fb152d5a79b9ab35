import { eventId } from '@bullpen/event-log';
import type { EventLog, LogMessage } from '@bullpen/event-log';
import { compareEventIds } from '@bullpen/session-model';
import { MAX_SOCKET_BUFFER_BYTES } from '@bullpen/sync-protocol';
import type { SessionFilter, SessionRow, SessionsChange, WatchSuccess } from '@bullpen/sync-protocol';
import { withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import { ChangedSessions } from '../../core/changed-sessions.js';
import type { Changes } from '../../core/changed-sessions.js';
import type { SessionFeeds } from '../log/session-feeds.js';
import { sessionRow } from '../rest/session.view.js';
import { LOCAL_ORGANISATION } from '../rpc/rpc.providers.js';
import type { SessionCalls } from '../rpc/rpc.providers.js';
import type { SocketOutlet } from './socket-outlet.js';

/** What happens within it is asked for together. */
const GATHER_MS = 150;
/** While the session service or its list is away. */
const RETRY_MS = 1_000;
/** As many as ListSessions takes. */
const MAX_IDS_PER_QUESTION = 200;
/** Lines that a watch remembers to have sent; afterwards some are sent again. */
const MAX_REMEMBERED_ROWS = 1_000;
/** Beside the rev of a row: the session is not in the list. */
const ABSENT = '';

export interface ListWatchesParts {
  readonly log: EventLog;
  readonly feeds: SessionFeeds;
  readonly calls: SessionCalls;
  readonly logger: Logger;
}

interface Watch {
  readonly filter: SessionFilter;
  readonly outlet: SocketOutlet;
  /** By session: the rev that was sent last. */
  readonly sent: Map<string, string>;
}

/**
 * Pushes lines of the list to who watches it. The tail says which sessions may have changed; what their lines are now says the session
 * service, once its list has come so far. So a line is never older than the event that it was asked for.
 */
export class ListWatches {
  readonly #watches = new Map<string, Watch>();
  readonly #changed = new ChangedSessions();
  readonly #logger: Logger;
  #leave: () => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;
  #asking = false;

  constructor(private readonly parts: ListWatchesParts) {
    this.#logger = withoutRepeats(parts.logger);
  }

  /** One watch a socket: another takes its place. */
  async add(socketId: string, filter: SessionFilter, outlet: SocketOutlet): Promise<WatchSuccess> {
    const { log, feeds } = this.parts;
    if (this.#watches.size === 0) this.#leave = feeds.listenToAll((message) => this.#note(message));
    this.#watches.set(socketId, { filter, outlet, sent: new Map() });
    // After the watch is there, so that nothing falls between this head and what is pushed.
    return { head: eventId(await log.lastSequence(), 0), epoch: log.epoch };
  }

  remove(socketId: string): void {
    if (!this.#watches.delete(socketId) || this.#watches.size > 0) return;
    this.#leave();
    this.#changed.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #note(message: LogMessage): void {
    if (this.#changed.note(message)) return this.#askIn(GATHER_MS);
    this.#changed.clear();
    for (const socketId of [...this.#watches.keys()]) this.#endLagging(socketId, 'More sessions changed than could be told.');
  }

  #askIn(delayMs: number): void {
    if (this.#asking || this.#changed.size === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#ask();
    }, delayMs);
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    const changes = this.#changed.take(MAX_IDS_PER_QUESTION);
    let nextMs = GATHER_MS;
    try {
      const isDone = await this.#tellAll(changes);
      if (!isDone) throw new Error('the list is behind');
    } catch (error) {
      this.#logger.warn('lines of the list could not be told yet', { sessions: changes.size, retryMs: RETRY_MS, error });
      if (this.#watches.size > 0) this.#changed.giveBack(changes);
      nextMs = RETRY_MS;
    } finally {
      this.#asking = false;
      this.#askIn(nextMs);
    }
  }

  /** One question for each filter. @returns false when the list has not come so far */
  async #tellAll(changes: Changes): Promise<boolean> {
    const byFilter = new Map<string, Map<string, Watch>>();
    for (const [socketId, watch] of this.#watches) {
      const { q, repository, status } = watch.filter;
      const key = JSON.stringify([q, repository, status]);
      byFilter.set(key, (byFilter.get(key) ?? new Map<string, Watch>()).set(socketId, watch));
    }
    const told = await Promise.all([...byFilter.values()].map((watches) => this.#tell(watches, changes)));
    return told.every((isTold) => isTold);
  }

  async #tell(watches: ReadonlyMap<string, Watch>, changes: Changes): Promise<boolean> {
    const [first] = watches.values();
    if (first === undefined) return true;
    const { q = '', repository = '', status = '' } = first.filter;
    const after = [...changes.values()].reduce((latest, id) => (compareEventIds(id, latest) > 0 ? id : latest));
    const page = await this.parts.calls.listSessions({
      ...{ organisationId: LOCAL_ORGANISATION, query: q, repositoryId: repository, status },
      ...{ sessionIds: [...changes.keys()], limit: MAX_IDS_PER_QUESTION, after },
    });
    if (page.stale) return false;
    const rows = page.sessions.map(sessionRow);
    for (const [socketId, watch] of watches) {
      if (this.#watches.get(socketId) === watch) this.#send(socketId, watch, newsFor(watch.sent, rows, changes));
    }
    return true;
  }

  #send(socketId: string, { outlet, sent }: Watch, change: SessionsChange): void {
    if (change.rows.length === 0 && change.removed.length === 0) return;
    if (outlet.unsentBytes > MAX_SOCKET_BUFFER_BYTES) return this.#endLagging(socketId, 'This connection takes the list too slowly.');
    if (sent.size > MAX_REMEMBERED_ROWS) sent.clear();
    for (const { id, rev } of change.rows) sent.set(id, rev);
    for (const { id } of change.removed) sent.set(id, ABSENT);
    outlet.emit(JSON.stringify(change).length, 'sessions.changed', change);
  }

  #endLagging(socketId: string, what: string): void {
    const outlet = this.#watches.get(socketId)?.outlet;
    this.remove(socketId);
    outlet?.emit(what.length, 'error', { code: 'sync.lagging', message: `${what} Watch and list again.`, details: { watch: 'sessions' } });
  }
}

/** What a watch was not sent yet. */
function newsFor(sent: ReadonlyMap<string, string>, rows: readonly SessionRow[], changes: Changes): SessionsChange {
  const found = new Set(rows.map(({ id }) => id));
  const removed = [...changes].filter(([id]) => !found.has(id) && sent.get(id) !== ABSENT).map(([id, rev]) => ({ id, rev }));
  return { rows: rows.filter(({ id, rev }) => sent.get(id) !== rev), removed };
}
