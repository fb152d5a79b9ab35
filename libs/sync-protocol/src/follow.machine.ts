import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import type { SessionEvent } from '@bullpen/contracts';
import type { ErrorDescription } from '@bullpen/errors';
import { compareEventIds } from '@bullpen/session-model';

import { ANSWER_TIMEOUT_MS, MAX_HELD_MESSAGES, RETRY_DELAYS_MS } from './follow.states.js';
import type {
  Followed,
  FollowEffect,
  FollowInput,
  FollowOptions,
  FollowState,
  FollowStatus,
  FollowStep,
  Position,
  SessionMessage,
} from './follow.states.js';
import { BEHIND_MS, HEAD_INTERVAL_MS } from './protocol.js';
import type { SessionSnapshot } from './protocol.js';

/** A subscription that says nothing for this long, not even its head, is taken for dead and made again. */
export const SILENCE_MS = 3 * HEAD_INTERVAL_MS;

type StateOf<S extends FollowStatus> = Extract<FollowState, { status: S }>;
type Following = StateOf<'live' | 'behind'>;
type InputOf<I extends FollowInput['type']> = Extract<FollowInput, { type: I }>;
type Transition<S extends FollowStatus, I extends FollowInput['type']> = (
  state: StateOf<S>,
  input: InputOf<I>,
  options: FollowOptions,
) => FollowStep;
/** Total: the compiler names the pair that is missing. */
type Table = { readonly [S in FollowStatus]: { readonly [I in FollowInput['type']]: Transition<S, I> } };

/** Starts to follow after `last` (`0`: from the beginning). */
export function beginFollowing(last: string = BEFORE_ALL_EVENTS): FollowStep {
  return connect({ epoch: null, last }, 0);
}

/** The next state and what to do for it. Pure, total, never throws. An input that means nothing in a state changes nothing. */
export function followStep(state: FollowState, input: FollowInput, options: FollowOptions): FollowStep {
  // The table's type pairs each cell with its state and input; TypeScript cannot follow that through two look-ups.
  const transition = TRANSITIONS[state.status][input.type] as (
    state: FollowState,
    input: FollowInput,
    options: FollowOptions,
  ) => FollowStep;
  return transition(state, input, options);
}

/** Without a subscription nothing that a server sends can be for us. */
const UNSUBSCRIBED = {
  acknowledged: ignore,
  refused: ignore,
  snapshot: ignore,
  events: ignore,
  head: ignore,
  lagging: ignore,
} as const;

/** What `live` and `behind` do alike: any doubt ends in subscribing again with what is held. */
const SUBSCRIBED = {
  connected: resubscribe,
  disconnected: reconnect,
  connectFailed: reconnect,
  acknowledged: ignore,
  refused: ignore,
  snapshot: (state: Following, { snapshot }: InputOf<'snapshot'>, options: FollowOptions) => takeSnapshot(state, snapshot, options),
  events: (state: Following, { events }: InputOf<'events'>, options: FollowOptions) => takeEvents(state, events, options),
  lagging: resubscribe,
  timer: resubscribe,
  stop,
} as const;

const TRANSITIONS: Table = {
  waiting: {
    ...UNSUBSCRIBED,
    connected: ignore,
    disconnected: ignore,
    connectFailed: ignore,
    timer: ({ position, attempt }) => connect(position, attempt),
    stop,
  },
  connecting: {
    ...UNSUBSCRIBED,
    connected: ({ position, attempt }, _, options) => subscribe(position, attempt, options),
    disconnected: retryAgain,
    connectFailed: ({ position, attempt }, { error }, options) =>
      error !== null && !isPassing(error) ? fail(position, error) : retry(position, attempt, options),
    timer: retryAgain,
    stop,
  },
  subscribing: {
    connected: ({ position, attempt }, _, options) => subscribe(position, attempt, options),
    disconnected: retryAgain,
    connectFailed: retryAgain,
    acknowledged,
    refused: ({ position, attempt }, { error }, options) => refused(position, attempt, error, options),
    snapshot: hold,
    events: hold,
    head: ignore,
    // The subscription under way comes after what was dropped.
    lagging: ignore,
    timer: retryAgain,
    stop,
  },
  live: {
    ...SUBSCRIBED,
    head: (state, { head }, options) => compareHead(state, head, options),
  },
  behind: {
    ...SUBSCRIBED,
    // The first one's time runs on: a busy session announces heads faster than BEHIND_MS.
    head: (state, { head }) => ({ state: compareEventIds(head, state.head) > 0 ? { ...state, head } : state, effects: [] }),
  },
  stopped: {
    ...UNSUBSCRIBED,
    connected: ignore,
    disconnected: ignore,
    connectFailed: ignore,
    timer: ignore,
    stop: ignore,
  },
};

function resubscribe({ position }: FollowState, _: FollowInput, options: FollowOptions): FollowStep {
  return subscribe(position, 0, options);
}

function reconnect({ position }: FollowState, _: FollowInput, options: FollowOptions): FollowStep {
  return retry(position, 0, options);
}

function retryAgain({ position, attempt }: StateOf<'connecting' | 'subscribing'>, _: FollowInput, options: FollowOptions): FollowStep {
  return retry(position, attempt, options);
}

function ignore(state: FollowState): FollowStep {
  return { state, effects: [] };
}

function stop({ position }: FollowState): FollowStep {
  return { state: { status: 'stopped', position }, effects: [timer(null), { type: 'disconnect' }] };
}

function fail(position: Position, error: ErrorDescription): FollowStep {
  const { state, effects } = stop({ status: 'stopped', position });
  return { state, effects: [...effects, deliver({ type: 'failed', error })] };
}

function connect(position: Position, attempt: number): FollowStep {
  return { state: { status: 'connecting', position, attempt }, effects: [timer(ANSWER_TIMEOUT_MS), { type: 'connect' }] };
}

function subscribe(position: Position, attempt: number, { sessionId, models }: FollowOptions): FollowStep {
  const fresh = position.last === BEFORE_ALL_EVENTS && models.length > 0;
  const request = { sessionId, models, ...(fresh ? {} : { after: position.last }) };
  return {
    state: { status: 'subscribing', position, attempt, held: [] },
    effects: [timer(ANSWER_TIMEOUT_MS), { type: 'subscribe', request }],
  };
}

/** Disconnects first, so that nothing of the old connection arrives later. */
function retry(position: Position, failed: number, { maxAttempts }: FollowOptions): FollowStep {
  const attempt = failed + 1;
  if (attempt > maxAttempts) {
    const message = `Could not follow the session in ${maxAttempts} attempts. Check that the platform runs, then follow it again.`;
    return fail(position, { code: 'sync.unreachable', message, details: { attempts: maxAttempts } });
  }
  const delayMs = RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length) - 1] ?? RETRY_DELAYS_MS[0];
  return {
    state: { status: 'waiting', position, attempt },
    effects: [{ type: 'disconnect' }, deliver({ type: 'retrying', attempt, delayMs }), timer(delayMs)],
  };
}

function refused(position: Position, attempt: number, error: ErrorDescription, options: FollowOptions): FollowStep {
  const holdsAny = position.last !== BEFORE_ALL_EVENTS;
  if (error.code === 'event.unknown' && holdsAny) return startOver(null, attempt, options);
  return isPassing(error) ? retry(position, attempt, options) : fail(position, error);
}

/** Something that the server could not do now, as against something that it will never do. */
function isPassing({ code, details }: ErrorDescription): boolean {
  return code === 'internal' || code.endsWith('unavailable') || code.endsWith('timeout') || typeof details?.['retryAfterMs'] === 'number';
}

function startOver(epoch: string | null, attempt: number, options: FollowOptions): FollowStep {
  return before([deliver({ type: 'dropped' })], subscribe({ epoch, last: BEFORE_ALL_EVENTS }, attempt, options));
}

function hold(state: StateOf<'subscribing'>, message: SessionMessage): FollowStep {
  if (state.held.length >= MAX_HELD_MESSAGES) return { state, effects: [] };
  return { state: { ...state, held: [...state.held, message] }, effects: [] };
}

function acknowledged(
  { position, attempt, held }: StateOf<'subscribing'>,
  { head, epoch }: InputOf<'acknowledged'>,
  options: FollowOptions,
): FollowStep {
  const otherEpoch = position.epoch !== null && position.epoch !== epoch;
  if (otherEpoch && position.last !== BEFORE_ALL_EVENTS) return startOver(epoch, attempt, options);
  const recovered = attempt > 0 ? [deliver({ type: 'recovered' })] : [];
  const live = reachGoal({ status: 'live', position: { ...position, epoch }, goal: head });
  return held.reduce<FollowStep>((step, message) => replay(step, message, options), before(recovered, live));
}

/** Held messages may be of the subscription before: one that does not fit says nothing about this one. */
function replay(step: FollowStep, message: SessionMessage, options: FollowOptions): FollowStep {
  const next = followStep(step.state, message, options);
  return next.state.status === 'live' || next.state.status === 'behind' ? before(step.effects, next) : step;
}

function takeSnapshot(state: Following, { epoch, model, upTo, state: fold, tail }: SessionSnapshot, options: FollowOptions): FollowStep {
  const sameEpoch = state.position.epoch === null || state.position.epoch === epoch;
  const isOld = sameEpoch && compareEventIds(upTo, state.position.last) <= 0;
  if (isOld) return takeEvents(state, tail, options);
  if (!options.models.includes(model)) return ignore(state);
  // The snapshot alone may reach the goal: nothing need follow it.
  const restored = reachGoal({ ...state, position: { epoch, last: upTo } });
  const effects = [deliver({ type: 'snapshot', state: fold }), ...restored.effects];
  return before(effects, takeEvents(restored.state, tail, options));
}

function takeEvents(state: Following, events: readonly SessionEvent[], options: FollowOptions): FollowStep {
  const effects: FollowEffect[] = [];
  let { last } = state.position;
  for (const event of events) {
    if (compareEventIds(event.id, last) <= 0) continue;
    const position = { ...state.position, last };
    if ((event.prev ?? BEFORE_ALL_EVENTS) !== last) return before(effects, subscribe(position, 0, options));
    effects.push(deliver({ type: 'event', event }));
    last = event.id;
  }
  // Repeats are no progress: they leave the timer running.
  if (effects.length === 0) return ignore(state);
  return before(effects, reachGoal({ ...state, position: { ...state.position, last } }));
}

/** Restarts the state's timer: called when something arrived, which is what the timer waits for. */
function reachGoal({ position, goal, ...state }: Following): FollowStep & { readonly state: Following } {
  const reached = goal !== null && compareEventIds(position.last, goal) >= 0;
  const effects = reached ? [deliver({ type: 'caughtUp', head: goal })] : [];
  const rest = { position, goal: reached ? null : goal };
  if (state.status === 'behind' && compareEventIds(position.last, state.head) < 0) {
    return { state: { ...state, ...rest }, effects: [...effects, timer(BEHIND_MS)] };
  }
  return { state: { status: 'live', ...rest }, effects: [...effects, timer(SILENCE_MS)] };
}

/**
 * A head below what we hold is either older than an event that overtook it, or of a log that was reset: subscribing again
 * with what we hold tells, because the server refuses an event that it does not have.
 */
function compareHead(state: StateOf<'live'>, head: string, options: FollowOptions): FollowStep {
  const order = compareEventIds(head, state.position.last);
  if (order < 0) return subscribe(state.position, 0, options);
  if (order === 0) return { state, effects: [timer(SILENCE_MS)] };
  return { state: { status: 'behind', position: state.position, goal: state.goal, head }, effects: [timer(BEHIND_MS)] };
}

function timer(delayMs: number | null): FollowEffect {
  return { type: 'timer', delayMs };
}

function deliver(item: Followed): FollowEffect {
  return { type: 'deliver', item };
}

function before(effects: readonly FollowEffect[], step: FollowStep): FollowStep {
  return { state: step.state, effects: [...effects, ...step.effects] };
}
