import { io } from 'socket.io-client';

import type { SessionEvent, TurnOutcome } from '@bullpen/contracts';
import { Bug, Rejection } from '@bullpen/errors';
import type { ErrorDescription } from '@bullpen/errors';
import { followSession } from '@bullpen/sync-protocol';
import type { Followed, Following } from '@bullpen/sync-protocol';

import type { CliHost } from '../host.js';
import { terminalOf } from '../host.js';
import { jsonLine, warning } from '../output.js';
import type { Voice } from '../output.js';
import type { Address } from '../platform/address.js';
import { SessionRenderer } from '../render/session-renderer.js';
import type { KnownBefore } from '../render/session-renderer.js';
import { GoalTracker } from './watch-goal.js';
import type { Goal } from './watch-goal.js';

/** A turn's branch is pushed after the turn; its final line waits for that so long. */
const PUSH_WAIT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;

export interface WatchOptions {
  readonly sessionId: string;
  /** `0`: the whole session. */
  readonly after: string;
  readonly goal: Goal;
  /** What came before `after`. */
  readonly known?: KnownBefore;
}

export type WatchResult =
  /**
   * `outcome` null: no turn that was waited for has ended. `isPaused`: prompts wait for a sandbox that could not be started.
   * `failureCode`: why the last turn failed, or empty. `head`: the last event shown.
   */
  | { readonly kind: 'ended'; readonly head: string; readonly outcome: TurnOutcome | null; readonly isPaused: boolean; readonly failureCode: string }
  /** Ctrl-C. */
  | { readonly kind: 'detached'; readonly head: string };

/**
 * Shows a session until the goal is reached or the person detaches.
 *
 * @throws Rejection with the code of what ended it: refused by the platform, or not reached in many attempts
 */
export async function watchSession(voice: Voice, address: Address, options: WatchOptions): Promise<WatchResult> {
  const { sessionId, after } = options;
  const watch = new Watch(voice, options);
  const result = await follow(voice.host, address, { sessionId, after, onItem: (item) => watch.take(item), done: watch.done });
  return { ...result, head: watch.head };
}

interface FollowRequest<Result> {
  readonly sessionId: string;
  readonly after: string;
  readonly onItem: (item: Followed) => void;
  readonly done: Promise<Result>;
}

/** Follows until `done`, the end of following, or Ctrl-C. */
export async function follow<Result>(host: CliHost, address: Address, request: FollowRequest<Result>): Promise<Result | { kind: 'detached' }> {
  const { sessionId, after, onItem, done } = request;
  const socket = io(address.url, {
    autoConnect: false,
    reconnection: false,
    forceNew: true,
    transports: ['websocket'],
    timeout: CONNECT_TIMEOUT_MS,
    auth: { token: address.token },
  });
  let following: Following | null = null;
  let endInterrupts = (): void => undefined;
  const detached = new Promise<{ kind: 'detached' }>((resolve) => {
    endInterrupts = host.onInterrupt(() => resolve({ kind: 'detached' }));
  });
  try {
    following = followSession({ socket, sessionId, after, onItem });
    return await Promise.race([done, detached]);
  } finally {
    following?.close();
    endInterrupts();
  }
}

/** Every retry is said at first, later one in so many. */
const RETRIES_SAID = 5;

/** `connection lost, retrying (2)…` and what else is said of the connection; null for the session's own items. */
export function connectionLine(item: Followed): string | null {
  switch (item.type) {
    case 'retrying':
      return retryingLine(item.attempt);
    case 'recovered':
      return 'connected again';
    case 'dropped':
      return 'the log of the platform was reset; this is the session as it is now:';
    case 'event':
    case 'snapshot':
    case 'caughtUp':
    case 'failed':
      return null;
  }
}

function retryingLine(attempt: number): string | null {
  if (attempt === 1) return 'connection lost, retrying…';
  return attempt <= RETRIES_SAID || attempt % RETRIES_SAID === 0 ? `connection lost, retrying (${attempt})…` : null;
}

export function endOfFollowing(error: ErrorDescription): Rejection {
  return new Rejection(error.code, error.message, error.details);
}

type Ended = Omit<Extract<WatchResult, { kind: 'ended' }>, 'head'>;

class Watch {
  readonly done: Promise<Ended>;
  #resolve: (result: Ended) => void = () => undefined;
  #reject: (error: Rejection | Bug) => void = () => undefined;
  #tracker: GoalTracker;
  #renderer: SessionRenderer;
  #pushTimer: NodeJS.Timeout | null = null;
  #isFinished = false;
  #head: string;

  constructor(
    private readonly voice: Voice,
    private readonly options: WatchOptions,
  ) {
    this.#head = options.after;
    this.#tracker = new GoalTracker(options.goal);
    this.#renderer = this.#newRenderer();
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (options.known !== undefined) this.#write(this.#renderer.begin(options.known));
  }

  get head(): string {
    return this.#head;
  }

  take(item: Followed): void {
    // The rest of a batch still comes before the follower is closed.
    if (this.#isFinished) return;
    const line = connectionLine(item);
    if (line !== null) this.#say(line);
    switch (item.type) {
      case 'event':
        return this.#takeEvent(item.event);
      case 'caughtUp':
        this.#tracker.catchUp();
        return this.#finishWhenReached();
      case 'dropped':
        this.#tracker = new GoalTracker(this.options.goal);
        this.#renderer = this.#newRenderer();
        return;
      case 'failed':
        this.#write(this.#renderer.settle());
        return this.#reject(endOfFollowing(item.error));
      case 'snapshot':
        return this.#reject(new Bug('a snapshot came, which was not asked for'));
      case 'retrying':
      case 'recovered':
        return;
    }
  }

  #takeEvent(event: SessionEvent): void {
    // Reached before: what comes while the push is awaited is shown only if it is that.
    const isPush = event.type === 'BranchPushed' || event.type === 'BranchPushFailed';
    if (this.#pushTimer !== null && !isPush) return;
    if (this.#tracker.take(event)) this.#show(event);
    this.#finishWhenReached();
  }

  #finishWhenReached(): void {
    if (!this.#tracker.isReached) return;
    if (this.#renderer.isSettled) return this.#finish();
    this.#pushTimer ??= setTimeout(() => this.#finish(), PUSH_WAIT_MS).unref();
  }

  #finish(): void {
    this.#isFinished = true;
    if (this.#pushTimer !== null) clearTimeout(this.#pushTimer);
    this.#write(this.#renderer.settle());
    const { outcome, isPaused, failureCode } = this.#tracker;
    this.#resolve({ kind: 'ended', outcome, isPaused, failureCode });
  }

  #say(line: string): void {
    this.#write(this.#renderer.interrupt());
    warning(this.voice, line);
  }

  /** The renderer sees every event also with `--json`: it knows when the turn's push is through. */
  #show(event: SessionEvent): void {
    this.#head = event.id;
    const text = this.#renderer.event(event);
    if (this.voice.json) this.voice.host.stdout.write(jsonLine(event));
    else this.#write(text);
  }

  #write(text: string): void {
    if (text !== '' && !this.voice.json) this.voice.host.stdout.write(text);
  }

  #newRenderer(): SessionRenderer {
    const { host } = this.voice;
    return new SessionRenderer(terminalOf(host, host.stdout));
  }
}
