import type { SessionEvent } from '@bullpen/contracts';
import type { ErrorDescription } from '@bullpen/errors';
import type { SessionState } from '@bullpen/session-model';

import type { SessionSnapshot, SubscribeRequest } from './protocol.js';

/** Delays between attempts to connect or subscribe; the last one repeats. */
export const RETRY_DELAYS_MS = [250, 500, 1_000, 2_000, 5_000] as const;
/** Retries in a row without a subscription, after which a follower stops with `sync.unreachable`. */
export const MAX_ATTEMPTS = 60;
/** A connection, or the answer to a subscription, that takes longer counts as failed. */
export const ANSWER_TIMEOUT_MS = 10_000;
/** Messages held while a subscription is unanswered; what comes above is left to the next subscription. */
export const MAX_HELD_MESSAGES = 1_000;

/** What a follower holds of the session. */
export interface Position {
  /** Null until the first subscription; ids of another epoch mean nothing here. */
  readonly epoch: string | null;
  /** Id of the last event delivered; `0` before the first. */
  readonly last: string;
}

/** Where following one session stands. `attempt` counts the retries since the last subscription that worked. */
export type FollowState =
  /** Not connected; tries again when the timer ends. */
  | { readonly status: 'waiting'; readonly position: Position; readonly attempt: number }
  | { readonly status: 'connecting'; readonly position: Position; readonly attempt: number }
  /** Subscribed, not answered yet. What arrives is held: the answer says which epoch it belongs to. */
  | { readonly status: 'subscribing'; readonly position: Position; readonly attempt: number; readonly held: readonly SessionMessage[] }
  /** `goal`: head when the subscription began, until it was reached. */
  | { readonly status: 'live'; readonly position: Position; readonly goal: string | null }
  /** A head ahead of us was announced; its events have this long to come. */
  | { readonly status: 'behind'; readonly position: Position; readonly goal: string | null; readonly head: string }
  | { readonly status: 'stopped'; readonly position: Position };

export type FollowStatus = FollowState['status'];

export type SessionMessage =
  | { readonly type: 'events'; readonly events: readonly SessionEvent[] }
  | { readonly type: 'snapshot'; readonly snapshot: SessionSnapshot };

export type FollowInput =
  | SessionMessage
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  /** `error`: the server's own refusal; null when it was not reached. */
  | { readonly type: 'connectFailed'; readonly error: ErrorDescription | null }
  | { readonly type: 'acknowledged'; readonly head: string; readonly epoch: string }
  | { readonly type: 'refused'; readonly error: ErrorDescription }
  | { readonly type: 'head'; readonly head: string }
  /** The server dropped events for this socket: subscribe again. */
  | { readonly type: 'lagging' }
  | { readonly type: 'timer' }
  | { readonly type: 'stop' };

/** What a follower tells its owner, in order. */
export type Followed =
  /** The session's next event: each once, in order, `prev` closed. */
  | { readonly type: 'event'; readonly event: SessionEvent }
  /** Takes the place of everything delivered so far. */
  | { readonly type: 'snapshot'; readonly state: SessionState }
  /** The log was reset: what was delivered is void; the session comes again from its start. */
  | { readonly type: 'dropped' }
  /** Everything up to the head at the time of subscribing was delivered; again after each reconnection. */
  | { readonly type: 'caughtUp'; readonly head: string }
  | { readonly type: 'retrying'; readonly attempt: number; readonly delayMs: number }
  /** Subscribed again after one or more `retrying`. */
  | { readonly type: 'recovered' }
  /** The end: refused for good, or not reached in MAX_ATTEMPTS. Nothing follows. */
  | { readonly type: 'failed'; readonly error: ErrorDescription };

export type FollowEffect =
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  | { readonly type: 'subscribe'; readonly request: SubscribeRequest }
  /** One timer at most: takes the place of the one before; null ends it. */
  | { readonly type: 'timer'; readonly delayMs: number | null }
  | { readonly type: 'deliver'; readonly item: Followed };

export interface FollowOptions {
  readonly sessionId: string;
  /** Fold versions that a snapshot may have; none: events only. */
  readonly models: readonly string[];
  readonly maxAttempts: number;
}

export interface FollowStep {
  readonly state: FollowState;
  readonly effects: readonly FollowEffect[];
}
