import { isEventType } from '@bullpen/contracts';
import type { EventOf, Reason, StoredEvent } from '@bullpen/contracts';
import type { LogMessage } from '@bullpen/event-log';

import { PLATFORM_STOPPED, SANDBOX_FAILED, SANDBOX_LOST } from './session.events.js';
import type { TurnEnding } from './session.events.js';

/** The running attempt of a session as the log says, up to the position that was followed. */
export interface FollowedTurn {
  readonly turnId: string;
  readonly attempt: number;
  /** The generation whose agent has the prompt; 0 before. */
  readonly generation: number;
  /** How it ended where it ran. What is left to do is to say so on the core lane. */
  readonly ending: TurnEnding | null;
}

/** By session id; sessions without a running turn are left out. */
export type FollowedTurns = ReadonlyMap<string, FollowedTurn>;

/**
 * Ends turns: sandboxes and agents say on their lanes how an attempt ended, and only the session service ends a turn. Everything is judged
 * where it lies in the log, so an old ending never meets a later attempt, and following the log again comes to the same.
 */
export function followMessage(turns: FollowedTurns, message: LogMessage): FollowedTurns {
  if (message.lane.entity !== 'session') return turns;
  const before = turns.get(message.lane.id) ?? null;
  const generation = message.frames?.generation ?? 0;
  const after = message.events.reduce<FollowedTurn | null>((turn, event) => followEvent(turn, event, generation), before);
  if (after === before) return turns;
  const next = new Map(turns);
  if (after) next.set(message.lane.id, after);
  else next.delete(message.lane.id);
  return next;
}

/** An attempt that has ended but is not said to have. */
export interface UnsaidEnding {
  readonly sessionId: string;
  readonly turn: FollowedTurn;
  readonly ending: TurnEnding;
}

export function unsaidEndings(turns: FollowedTurns): UnsaidEnding[] {
  return [...turns].flatMap(([sessionId, turn]) => (turn.ending ? [{ sessionId, turn, ending: turn.ending }] : []));
}

function followEvent(turn: FollowedTurn | null, stored: StoredEvent, generation: number): FollowedTurn | null {
  if (!isEventType(stored.type)) return turn;
  const event = stored as unknown as EventOf & { readonly turnId?: string };
  if (event.type === 'TurnStarted') {
    return { turnId: event.data.turnId, attempt: event.data.attempt, generation: 0, ending: null };
  }
  if (event.type === 'SessionDeleted' || event.type === 'LaneClosed') return null;
  if (!turn) return null;
  if (event.type === 'TurnEnded') return isSame(turn, event.data) ? null : turn;
  if (event.type === 'AgentStarted') return isSame(turn, event.data) ? { ...turn, generation } : turn;
  if (turn.ending) return turn;
  const ending = endingBy(turn, event);
  return ending ? { ...turn, ending } : turn;
}

/** AgentFailed is not here: the runner sends AgentTurnFinished after it, or its sandbox is lost. */
function endingBy(turn: FollowedTurn, event: EventOf & { readonly turnId?: string }): TurnEnding | null {
  if (event.type === 'AgentTurnFinished') {
    return isSame(turn, event.data) ? { outcome: event.data.outcome, reason: event.data.reason ?? null } : null;
  }
  if (event.type === 'SandboxLost') {
    const { turnId, turnAttempt } = event.data;
    // Tolerant: the wire form of a message may lack any message in it.
    const reason: Reason | undefined = event.data.reason;
    const code = reason?.code === PLATFORM_STOPPED ? PLATFORM_STOPPED : SANDBOX_LOST;
    return isSame(turn, { turnId, attempt: turnAttempt }) ? failed(code, reason) : null;
  }
  if (event.type === 'SandboxStopped') {
    const ranThere = turn.generation > 0 && turn.generation === event.data.generation;
    return ranThere || event.turnId === turn.turnId ? failed(PLATFORM_STOPPED, event.data.reason) : null;
  }
  if (event.type === 'SandboxStageEntered' && event.data.stage === 'failed') {
    return failed(SANDBOX_FAILED, event.data.reason);
  }
  return null;
}

function failed(code: string, reason: Reason | undefined): TurnEnding {
  return { outcome: 'failed', reason: { code, message: reason?.message || DEFAULT_MESSAGES[code] || code } };
}

const DEFAULT_MESSAGES: Readonly<Record<string, string>> = {
  [SANDBOX_LOST]: 'The sandbox was lost while the agent worked. Retry, or send the next prompt.',
  [SANDBOX_FAILED]: 'No sandbox could be started. See its log, then retry.',
  [PLATFORM_STOPPED]: 'The platform was stopped while the agent worked. Retry, or send the next prompt.',
};

function isSame(turn: FollowedTurn, other: { readonly turnId: string; readonly attempt: number }): boolean {
  return turn.turnId === other.turnId && turn.attempt === other.attempt;
}
