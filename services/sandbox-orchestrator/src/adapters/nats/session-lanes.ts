import { randomUUID } from 'node:crypto';

import type { StoredEvent } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';
import { LaneConflict, isClosed, laneClosed, startGeneration } from '@bullpen/event-log';
import type { EventLog, Lane } from '@bullpen/event-log';

import { stored } from '../../core/sandbox-events.js';
import type { ClosableLane, Generation, SandboxedSession } from '../../core/sandbox.state.js';
import type { SessionStates } from './session-states.js';

const CONFLICT_RETRY_MS = 100;

/** Writes of the orchestrator's own; each resolves once the fold holds it, so the next step sees it. */
export class SessionLanes {
  constructor(
    private readonly log: EventLog,
    private readonly states: SessionStates,
  ) {}

  /** @throws Fault `sandbox-lane.conflict`: the fold was behind, decide again */
  async appendToSandbox(session: SandboxedSession, events: readonly StoredEvent[]): Promise<void> {
    const lane: Lane = { entity: 'session', id: session.sessionId, name: 'sandbox' };
    if (session.closedLanes.includes('sandbox')) throw laneClosed(lane);
    try {
      // The expected sequence already makes a second append impossible; the key only has to be this one's.
      const { sequence } = await this.log.append({ lane, events, expected: session.sandboxLaneEnd, key: randomUUID() });
      await this.states.reached(sequence);
    } catch (error) {
      if (!(error instanceof LaneConflict)) throw error;
      await this.states.reached(error.actual);
      const message = `Someone else appended to the sandbox lane of session ${session.sessionId}. Deciding again.`;
      throw new Fault('sandbox-lane.conflict', message, { retryAfterMs: CONFLICT_RETRY_MS, cause: error });
    }
  }

  /** Appends the lane's last event. May be repeated. @throws LaneConflict when somebody appended meanwhile: close it again */
  async close(sessionId: string, name: ClosableLane): Promise<void> {
    const lane: Lane = { entity: 'session', id: sessionId, name };
    const end = await this.log.laneEnd(lane);
    if (isClosed(end)) return this.states.reached(end.sequence);
    const events = [stored('LaneClosed', {}, new Date().toISOString())];
    const frames = end.message?.frames ?? undefined;
    const { sequence } = await this.log.append({ lane, events, expected: end.sequence, key: randomUUID(), frames });
    await this.states.reached(sequence);
  }

  /** Fences the agent lane for a generation; the same one again is success. */
  async fence(session: SandboxedSession, { sandboxId, generation }: Generation, at: string): Promise<void> {
    const { sessionId } = session;
    const event = stored('GenerationStarted', { generation, sandboxId }, at);
    await startGeneration(this.log, { sessionId, sandboxId, generation, event });
    await this.agentLaneFolded(sessionId, generation);
  }

  /** Folds all there is on the agent lane; the number of the generation's last frame in it. */
  async agentLaneFolded(sessionId: string, generation: number): Promise<number> {
    const end = await this.log.laneEnd({ entity: 'session', id: sessionId, name: 'agent' });
    await this.states.reached(end.sequence);
    const frames = end.message?.frames;
    return frames?.generation === generation ? frames.last : 0;
  }
}
