import type { StoredEvent } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';

import { closes, laneClosed } from './closed-lane.js';
import { LaneConflict } from './event-log.js';
import type { EventLog, FrameRange, Lane, LogMessage } from './event-log.js';

/** Attempts to append the fence while the holder before it still writes. */
const MAX_CONFLICTS = 32;

export interface Generation {
  readonly sessionId: string;
  readonly sandboxId: string;
  readonly generation: number;
}

/** Fold of an agent lane: where it ends, who holds it, which frames are in. */
export interface AgentLaneState {
  readonly sequence: number;
  /** By the last GenerationStarted. */
  readonly holder: { readonly generation: number; readonly sandboxId: string } | null;
  readonly frames: FrameRange | null;
  readonly closed: boolean;
}

const EMPTY_LANE: AgentLaneState = { sequence: 0, holder: null, frames: null, closed: false };

/**
 * Puts the fence into the log: from now on holders of older generations conflict, read it and stop. The same one again is already so.
 *
 * @param start.event the GenerationStarted event of this generation and sandbox
 * @throws Rejection `generation.superseded` when the lane has this generation under another sandbox, or a newer one,
 *   `lane.closed`
 */
export async function startGeneration(log: EventLog, start: Generation & { readonly event: StoredEvent }): Promise<void> {
  const { event, ...generation } = start;
  let state = await readAgentLane(log, generation.sessionId);
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
    if (state.closed) throw laneClosed(agentLane(generation.sessionId));
    if (isHeldBy(state, generation)) return;
    if (state.holder !== null && state.holder.generation >= generation.generation) throw superseded(generation, state.holder);
    try {
      await log.append({
        lane: agentLane(generation.sessionId),
        events: [event],
        expected: state.sequence,
        key: `${generation.sandboxId}:${generation.generation}:started`,
        frames: state.frames ?? undefined,
      });
      return;
    } catch (error) {
      if (!(error instanceof LaneConflict)) throw error;
      state = await followAgentLane(log, generation.sessionId, state);
    }
  }
  throw new Fault('log.contended', `Others keep writing the agent lane of ${generation.sessionId}. It is tried again.`);
}

export function agentLane(sessionId: string): Lane {
  return { entity: 'session', id: sessionId, name: 'agent' };
}

export function readAgentLane(log: EventLog, sessionId: string): Promise<AgentLaneState> {
  return followAgentLane(log, sessionId, EMPTY_LANE);
}

/** The state after everything that came since. */
export async function followAgentLane(log: EventLog, sessionId: string, since: AgentLaneState): Promise<AgentLaneState> {
  let state = since;
  for await (const message of log.readLane(agentLane(sessionId), since.sequence + 1)) state = evolve(state, message);
  return state;
}

export function superseded(
  { sessionId, sandboxId, generation }: Generation,
  holder: { generation: number; sandboxId: string },
): Rejection {
  const message = `Generation ${generation} of ${sessionId} is superseded by generation ${holder.generation}. Its sandbox must end.`;
  return new Rejection('generation.superseded', message, { sessionId, sandboxId, generation, holder });
}

function evolve(state: AgentLaneState, { sequence, events, frames }: LogMessage): AgentLaneState {
  const holder = events.reduce((current, event) => holderOf(event) ?? current, state.holder);
  return { sequence, holder, frames: frames ?? state.frames, closed: state.closed || closes(events) };
}

function holderOf({ type, data }: StoredEvent): AgentLaneState['holder'] {
  const { generation, sandboxId } = data;
  if (type !== 'GenerationStarted' || typeof generation !== 'number' || typeof sandboxId !== 'string') return null;
  return { generation, sandboxId };
}

function isHeldBy({ holder }: AgentLaneState, { generation, sandboxId }: Generation): boolean {
  return holder?.generation === generation && holder.sandboxId === sandboxId;
}
