import { SESSION_MODEL } from '@bullpen/session-model';
import { followSession } from '@bullpen/sync-protocol';
import type { Followed, Following } from '@bullpen/sync-protocol';

import { openSocket } from './socket.js';
import { initialSessionView, reduceSessionView } from './session-view.js';
import type { SessionView } from './session-view.js';

/** A hidden tab draws no frames; it folds this often all the same, so that nothing piles up. */
const HIDDEN_FLUSH_MS = 500;

/** Follows one session outside of React, for `useSyncExternalStore`: at most one new view a frame, however much arrives. */
export class SessionStore {
  #view: SessionView;
  #arrived: Followed[] = [];
  #cancelFlush: (() => void) | null = null;
  readonly #listeners = new Set<() => void>();
  #following: Following | null = null;

  constructor(sessionId: string) {
    this.#view = initialSessionView(sessionId);
  }

  /** Follows from where it stands. @returns what ends it; it may be opened again. */
  open(): () => void {
    const { sessionId, head } = this.#view.state;
    const following = followSession({
      socket: openSocket(),
      sessionId,
      after: head,
      models: [SESSION_MODEL],
      maxAttempts: Number.POSITIVE_INFINITY,
      onItem: (item) => this.#take(item),
    });
    this.#following = following;
    return () => {
      following.close();
      this.#cancelFlush?.();
      this.#flush();
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): SessionView => this.#view;

  /** Does not wait for the delay between two attempts to end. */
  readonly retryNow = (): void => this.#following?.retryNow();

  #take(item: Followed): void {
    this.#arrived.push(item);
    this.#cancelFlush ??= scheduleFlush(() => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush = null;
    const items = this.#arrived;
    this.#arrived = [];
    const next = reduceSessionView(this.#view, items, Date.now());
    if (next === this.#view) return;
    this.#view = next;
    for (const listener of this.#listeners) listener();
  }
}

function scheduleFlush(flush: () => void): () => void {
  if (document.visibilityState === 'hidden') {
    const timer = setTimeout(flush, HIDDEN_FLUSH_MS);
    return () => clearTimeout(timer);
  }
  // A tab that is hidden before its frame comes would wait until it is shown again: whichever comes first, once.
  const end = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  const run = (): void => {
    end();
    flush();
  };
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, HIDDEN_FLUSH_MS);
  return end;
}
