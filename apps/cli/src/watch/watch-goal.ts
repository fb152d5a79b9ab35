import { isKnownEvent } from '@bullpen/contracts';
import type { SessionEvent, TurnOutcome } from '@bullpen/contracts';

/** What a command waits for while it shows a session. */
export type Goal =
  /** The turn of one prompt, hidden until it starts. */
  | { readonly kind: 'prompt'; readonly promptId: string }
  /** The next turn that starts, which is a retry's. */
  | { readonly kind: 'nextTurn' }
  /** Nothing runs and nothing waits. */
  | { readonly kind: 'quiet' }
  | { readonly kind: 'never' };

/** A queue stands still after this, until a new prompt or a retry. */
const PAUSING_REASON = 'sandbox.failed';

/** Follows a session far enough to know what to show and when to stop. */
export class GoalTracker {
  #turnId: string | null = null;
  #runningTurnId: string | null = null;
  readonly #queued = new Set<string>();
  #isPaused = false;
  #isCaughtUp = false;
  #isReached = false;
  #outcome: TurnOutcome | null = null;
  #spawnFailureCode = '';
  #failureCode = '';

  constructor(readonly goal: Goal) {}

  /** Takes the next event in; true when it is to be shown. */
  take(event: SessionEvent): boolean {
    if (isKnownEvent(event)) {
      if (event.type === 'PromptQueued') this.#queue(event.data.promptId);
      if (event.type === 'SandboxSpawnFailed') this.#spawnFailureCode = event.data.reason.code;
      if (event.type === 'TurnStarted') this.#start(event.data);
      if (event.type === 'TurnEnded') this.#end(event.data);
    }
    return this.#isShown(event);
  }

  /** Everything there was when following began has been taken in. */
  catchUp(): void {
    this.#isCaughtUp = true;
  }

  get isReached(): boolean {
    switch (this.goal.kind) {
      case 'prompt':
        // Its turn will not start by itself: to wait on would be for ever.
        return this.#isReached || (this.#isPaused && this.#queued.has(this.goal.promptId));
      case 'nextTurn':
        return this.#isReached;
      case 'quiet':
        return this.#isCaughtUp && this.#runningTurnId === null && (this.#queued.size === 0 || this.#isPaused);
      case 'never':
        return false;
    }
  }

  /** True when prompts wait behind a sandbox that could not be started. */
  get isPaused(): boolean {
    return this.#isPaused && this.#queued.size > 0;
  }

  /** Of the turn waited for, else of the last turn that ended; null before. */
  get outcome(): TurnOutcome | null {
    return this.#outcome;
  }

  /** Why the last turn that ended did; of one that got no sandbox, why that was not made. Empty when it did not fail. */
  get failureCode(): string {
    return this.#failureCode;
  }

  /** A new prompt also sets a paused queue going. */
  #queue(promptId: string): void {
    this.#queued.add(promptId);
    this.#isPaused = false;
  }

  #start({ turnId, promptId }: { readonly turnId: string; readonly promptId: string }): void {
    this.#queued.delete(promptId);
    this.#runningTurnId = turnId;
    this.#isPaused = false;
    const isAwaited = this.goal.kind === 'nextTurn' || (this.goal.kind === 'prompt' && this.goal.promptId === promptId);
    if (isAwaited && this.#turnId === null) this.#turnId = turnId;
  }

  #end({ turnId, outcome, reason }: { readonly turnId: string; readonly outcome: TurnOutcome; readonly reason?: { readonly code: string } }): void {
    if (this.#runningTurnId === turnId) this.#runningTurnId = null;
    this.#isPaused = reason?.code === PAUSING_REASON;
    this.#failureCode = (this.#isPaused && this.#spawnFailureCode) || (reason?.code ?? '');
    const isAwaited = this.#turnId === null ? this.goal.kind === 'quiet' || this.goal.kind === 'never' : this.#turnId === turnId;
    if (!isAwaited) return;
    this.#outcome = outcome;
    this.#isReached = this.#turnId === turnId;
  }

  #isShown(event: SessionEvent): boolean {
    switch (this.goal.kind) {
      case 'quiet':
      case 'never':
        return true;
      case 'prompt':
        // Its own text heads the turn, the session's heading a session that is new.
        return this.#turnId !== null || event.type === 'SessionCreated' || (event.type === 'PromptQueued' && event.data['promptId'] === this.goal.promptId);
      case 'nextTurn':
        return this.#turnId !== null;
    }
  }
}
