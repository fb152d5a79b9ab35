import type { ErrorDescription } from '@bullpen/errors';

import { beginFollowing, followStep } from './follow.machine.js';
import { MAX_ATTEMPTS } from './follow.states.js';
import type { Followed, FollowEffect, FollowInput, FollowOptions, FollowStep } from './follow.states.js';
import type { Acknowledgement, SessionSnapshot, SubscribeRequest, SubscribeSuccess } from './protocol.js';
import type { ServerToClient } from './protocol.js';

export type SocketListener = (...values: unknown[]) => void;

/**
 * What following needs of a socket: a socket.io-client `Socket` fits, in Node and in a browser, made with
 * `{autoConnect: false, reconnection: false, transports: ['websocket'], auth: {token}}`. Connecting again is the follower's own.
 */
export interface SyncSocket {
  readonly connected: boolean;
  connect(): unknown;
  disconnect(): unknown;
  on(event: string, listener: SocketListener): unknown;
  off(event: string, listener: SocketListener): unknown;
  emit(
    event: 'session.subscribe',
    request: SubscribeRequest,
    acknowledge: (answer: Acknowledgement<SubscribeSuccess>) => void,
  ): unknown;
}

export interface FollowSessionOptions {
  /** The follower's own from here on: it connects, disconnects and closes it. */
  readonly socket: SyncSocket;
  readonly sessionId: string;
  /** Last event id that the caller holds; default: from the session's first event. */
  readonly after?: string;
  /** Fold versions that the caller can take a snapshot of; default: events only. */
  readonly models?: readonly string[];
  /** Retries in a row before `failed`; default MAX_ATTEMPTS. */
  readonly maxAttempts?: number;
  /** Called in order, never again after `close` or a `failed`. Must not throw. */
  readonly onItem: (item: Followed) => void;
  readonly clock?: FollowClock;
}

export interface FollowClock {
  /** Calls back once; answers with what ends it. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface Following {
  /** Ends the delay before the next attempt; does nothing when none is waited for. */
  retryNow(): void;
  /** Ends it and closes the socket. Repeats change nothing. */
  close(): void;
}

/**
 * Follows one session over a socket. Promise: every event of the session after `after` reaches `onItem` exactly once and in order,
 * whatever the connection does, and `dropped` or `snapshot` say when what was delivered no longer counts. It connects again by itself with
 * bounded delays; refusals that will not pass, and MAX_ATTEMPTS in vain, end it with `failed`.
 */
export function followSession(options: FollowSessionOptions): Following {
  const follower = new Follower(options);
  follower.begin();
  return { retryNow: () => follower.retryNow(), close: () => follower.receive({ type: 'stop' }) };
}

class Follower {
  readonly #options: FollowSessionOptions;
  readonly #machine: FollowOptions;
  readonly #clock: FollowClock;
  readonly #listeners: readonly (readonly [string, SocketListener])[];
  #state = beginFollowing().state;
  #endTimer: (() => void) | null = null;
  /** Answers to an earlier subscription are none to this one. */
  #subscription = 0;
  /** Effects may bring inputs before they return; each input waits until the one before is done. */
  readonly #inputs: FollowInput[] = [];
  #isWorking = false;

  constructor(options: FollowSessionOptions) {
    const { sessionId, models = [], maxAttempts = MAX_ATTEMPTS, clock = hostClock } = options;
    this.#options = options;
    this.#machine = { sessionId, models, maxAttempts };
    this.#clock = clock;
    this.#listeners = this.#makeListeners();
  }

  begin(): void {
    for (const [event, listener] of this.#listeners) this.#options.socket.on(event, listener);
    this.#isWorking = true;
    this.#take(beginFollowing(this.#options.after));
    this.#isWorking = false;
    this.#work();
  }

  retryNow(): void {
    if (this.#state.status === 'waiting') this.receive({ type: 'timer' });
  }

  receive(input: FollowInput): void {
    this.#inputs.push(input);
    if (!this.#isWorking) this.#work();
  }

  #work(): void {
    this.#isWorking = true;
    for (let input = this.#inputs.shift(); input !== undefined; input = this.#inputs.shift()) {
      this.#take(followStep(this.#state, input, this.#machine));
    }
    this.#isWorking = false;
  }

  #take({ state, effects }: FollowStep): void {
    const wasStopped = this.#state.status === 'stopped';
    this.#state = state;
    if (state.status === 'stopped' && !wasStopped) {
      for (const [event, listener] of this.#listeners) this.#options.socket.off(event, listener);
    }
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: FollowEffect): void {
    const { socket, onItem } = this.#options;
    switch (effect.type) {
      case 'connect':
        if (socket.connected) this.receive({ type: 'connected' });
        else socket.connect();
        return;
      case 'disconnect':
        this.#subscription += 1;
        socket.disconnect();
        return;
      case 'subscribe':
        this.#subscribe(effect.request);
        return;
      case 'timer':
        this.#endTimer?.();
        this.#endTimer = effect.delayMs === null ? null : this.#clock.after(effect.delayMs, () => this.receive({ type: 'timer' }));
        return;
      case 'deliver':
        if (!this.#inputs.some((input) => input.type === 'stop')) onItem(effect.item);
        return;
    }
  }

  #subscribe(request: SubscribeRequest): void {
    const subscription = ++this.#subscription;
    this.#options.socket.emit('session.subscribe', request, (answer) => {
      if (subscription !== this.#subscription) return;
      if (answer.ok) this.receive({ type: 'acknowledged', head: answer.head, epoch: answer.epoch });
      else this.receive({ type: 'refused', error: answer });
    });
  }

  #makeListeners(): readonly (readonly [string, SocketListener])[] {
    const { sessionId } = this.#options;
    const server: Omit<ServerToClient, 'sessions.changed'> = {
      'session.events': (batch) => {
        if (batch.sessionId === sessionId) this.receive({ type: 'events', events: batch.events });
      },
      'session.snapshot': (snapshot: SessionSnapshot) => {
        if (snapshot.sessionId === sessionId) this.receive({ type: 'snapshot', snapshot });
      },
      'session.head': (message) => {
        if (message.sessionId === sessionId) this.receive({ type: 'head', head: message.head });
      },
      error: ({ code, details }) => {
        if (details?.['watch'] !== undefined || (details?.['sessionId'] ?? sessionId) !== sessionId) return;
        if (code === 'sync.lagging') return this.receive({ type: 'lagging' });
        // The server gave this subscription up; connecting again comes with a delay, asking again at once would not.
        if (details?.['sessionId'] === sessionId) this.receive({ type: 'disconnected' });
      },
    };
    return [
      ['connect', () => this.receive({ type: 'connected' })],
      ['disconnect', () => this.receive({ type: 'disconnected' })],
      ['connect_error', (error: unknown) => this.receive({ type: 'connectFailed', error: refusalOf(error) })],
      // Each listener takes what the protocol sends under its name.
      ...(Object.entries(server) as [string, SocketListener][]),
    ];
  }
}

/** Socket.IO carries what the server's middleware said in `data`; without it nobody answered. */
function refusalOf(error: unknown): ErrorDescription | null {
  const data: unknown = typeof error === 'object' && error !== null && 'data' in error ? error.data : null;
  if (typeof data !== 'object' || data === null || !('code' in data) || typeof data.code !== 'string') return null;
  const { message, details } = data as Partial<ErrorDescription>;
  return { code: data.code, message: message ?? 'The server refused the connection.', details: details ?? {} };
}

// Every host that this runs in has these two; no library of types is assumed.
declare function setTimeout(callback: () => void, delayMs: number): unknown;
declare function clearTimeout(timer: unknown): void;

const hostClock: FollowClock = {
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
