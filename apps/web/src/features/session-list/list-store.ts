import type { Socket } from 'socket.io-client';

import type { Acknowledgement, SessionFilter, SessionsChange, WatchSuccess } from '@bullpen/sync-protocol';

import { ApiError } from '../../lib/api.js';
import { openSocket } from '../../lib/socket.js';
import { listSessions } from './list-sessions.js';
import { EMPTY_LIST, reduceList } from './list-state.js';
import type { ListAction, ListState } from './list-state.js';

export const PAGE_ROWS = 30;
const MAX_ROWS_PER_REQUEST = 200;
const RECONNECT_MS = { first: 500, most: 15_000 };
const ACKNOWLEDGE_TIMEOUT_MS = 10_000;
/** While the list has not come as far as the log. */
const STALE_RETRY_MS = 1_000;

const UNREACHABLE = new ApiError(0, 'network.unreachable', 'Bullpen does not answer. Is it running? It is tried again and again.');

/**
 * Keeps the list outside of React: watches it, reads it with what the watch acknowledged, and takes what is pushed. After every loss of the
 * connection it does both again; what it has stays shown meanwhile.
 */
export class SessionListStore {
  #state = EMPTY_LIST;
  #filter: SessionFilter = {};
  #socket: Socket | null = null;
  /** Of the filter and connection at hand; answers to an earlier one are dropped. */
  #reading = new AbortController();
  #isWatching = false;
  readonly #listeners = new Set<() => void>();

  /** @returns what ends it; it may be opened again, and then has its rows still. */
  open(): () => void {
    const socket = openSocket();
    this.#socket = socket;
    socket.io.reconnection(true);
    socket.io.reconnectionDelay(RECONNECT_MS.first);
    socket.io.reconnectionDelayMax(RECONNECT_MS.most);
    socket.on('connect', () => this.#begin());
    socket.on('disconnect', (reason) => {
      this.#isWatching = false;
      // Socket.IO takes a server's goodbye for its last word; a platform that restarts says it, too.
      if (reason === 'io server disconnect') this.#socket?.connect();
    });
    socket.on('connect_error', () => this.#fail(UNREACHABLE));
    socket.on('sessions.changed', (change: SessionsChange) => {
      if (this.#isWatching) this.#apply({ type: 'changed', change });
    });
    socket.on('error', (error: { details?: Record<string, unknown> }) => {
      if (error.details?.['watch'] === 'sessions') this.#begin();
    });
    socket.connect();
    return () => {
      this.#reading.abort();
      this.#isWatching = false;
      this.#socket = null;
      socket.disconnect();
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): ListState => this.#state;

  /** What is shown stays until the answer is there. */
  setFilter(filter: SessionFilter): void {
    if (JSON.stringify(filter) === JSON.stringify(this.#filter)) return;
    this.#filter = filter;
    this.#begin();
  }

  readonly retry = (): void => {
    if (this.#socket?.connected === true) this.#begin();
    else this.#socket?.connect();
  };

  readonly loadMore = async (): Promise<void> => {
    const { nextCursor: cursor, isLoadingMore } = this.#state;
    if (cursor === null || isLoadingMore) return;
    const { signal } = this.#reading;
    this.#apply({ type: 'loading-more' });
    try {
      const { sessions, nextCursor } = await listSessions({ filter: this.#filter, limit: PAGE_ROWS, cursor, signal });
      if (!signal.aborted) this.#apply({ type: 'more', rows: sessions, nextCursor });
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  };

  #begin(): void {
    const socket = this.#socket;
    this.#isWatching = false;
    this.#reading.abort();
    this.#reading = new AbortController();
    if (socket?.connected !== true) return;
    void this.#read(socket, this.#reading.signal);
  }

  async #read(socket: Socket, signal: AbortSignal): Promise<void> {
    const filter = this.#filter;
    try {
      const answer = (await socket.timeout(ACKNOWLEDGE_TIMEOUT_MS).emitWithAck('sessions.watch', { filter })) as Acknowledgement<WatchSuccess>;
      if (signal.aborted) return;
      if (!answer.ok) throw new ApiError(0, answer.code, answer.message, answer.details);
      this.#isWatching = true;
      this.#apply({ type: 'watching', epoch: answer.epoch });
      await this.#list(answer.head, signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  async #list(head: string, signal: AbortSignal): Promise<void> {
    const limit = Math.min(Math.max(PAGE_ROWS, this.#state.rows.size), MAX_ROWS_PER_REQUEST);
    const { sessions, nextCursor, stale } = await listSessions({ filter: this.#filter, limit, after: head, signal });
    if (signal.aborted) return;
    // An answer that is behind leaves nothing out that is here.
    this.#apply({ type: 'listed', rows: sessions, nextCursor, head: stale ? '0' : head });
    if (!stale) return;
    const again = setTimeout(() => void this.#list(head, signal).catch((error: unknown) => signal.aborted || this.#fail(error)), STALE_RETRY_MS);
    signal.addEventListener('abort', () => clearTimeout(again));
  }

  #fail(error: unknown): void {
    this.#apply({ type: 'failed', error: error instanceof ApiError ? error : UNREACHABLE });
  }

  #apply(action: ListAction): void {
    const next = reduceList(this.#state, action);
    if (next === this.#state) return;
    this.#state = next;
    for (const listener of this.#listeners) listener();
  }
}
