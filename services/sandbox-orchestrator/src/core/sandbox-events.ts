import type { Actor, EventOf, EventType, JsonRecord, SandboxEventData, StoredEvent } from '@bullpen/contracts';

import { MAX_LOG_TAIL_CHARS, MAX_REASON_CHARS, spawnBackoffMs } from './bounds.js';
import { isLastAttempt } from './plan.js';
import type { EnteredStage, Step } from './plan.js';
import { turnAtStake } from './sandbox.state.js';
import type { Generation, SandboxedSession } from './sandbox.state.js';

export const ORCHESTRATOR: Actor = { kind: 'service', id: 'sandbox-orchestrator', name: 'sandbox-orchestrator' };

/** Steps that are no more than an append to the sandbox lane. */
export type RecordedStep = Extract<Step, { kind: 'request' | 'enterStages' | 'failSpawn' | 'giveUp' | 'lose' | 'recordStopped' }>;

export interface Recording {
  /** RFC 3339. */
  readonly at: string;
  readonly driver: string;
  readonly isolation: SandboxEventData['SandboxRequested']['isolation'];
  /** Last frame of the generation that is in the log. */
  readonly appendedThrough: number;
}

/** The events that record a step; they are appended together. */
export function eventsOf(step: RecordedStep, session: SandboxedSession, recording: Recording): StoredEvent[] {
  const { at } = recording;
  switch (step.kind) {
    case 'request':
      return requested(step, recording);
    case 'enterStages':
      return step.stages.map((entered) => stageEntered(step.sandbox, entered, at));
    case 'failSpawn':
      return [spawnFailed(step, session, at)];
    case 'giveUp':
      return [stageEntered(step.sandbox, { stage: 'failed', since: null }, at, step.reason)];
    case 'lose':
      return [lost(step, session, recording), stageEntered(step.sandbox, { stage: 'lost', since: null }, at, step.reason)];
    case 'recordStopped': {
      const { generation, sandboxId } = step.sandbox;
      const stopped = stored('SandboxStopped', { generation, sandboxId, reason: step.reason }, at);
      return [stopped, stageEntered(step.sandbox, { stage: 'stopped', since: null }, at, step.reason)];
    }
  }
}

/** An event of the platform's own, as it lies in the log. */
export function stored<T extends EventType>(type: T, data: EventOf<T>['data'], at: string, turnId?: string): StoredEvent {
  return { type, v: 1, at, actor: ORCHESTRATOR, ...(turnId ? { turnId } : {}), data: data as unknown as JsonRecord };
}

function requested(step: Extract<Step, { kind: 'request' }>, { at, driver, isolation }: Recording): StoredEvent[] {
  const { generation, sandboxId, attempt } = step;
  return [
    stored('SandboxRequested', { generation, sandboxId, driver, isolation, attempt }, at),
    stored('SandboxStageEntered', { stage: 'requested', generation, sandboxId, startedAt: at }, at),
  ];
}

function stageEntered(sandbox: Generation, { stage, since }: EnteredStage, at: string, reason?: { code: string; message: string }): StoredEvent {
  const { generation, sandboxId } = sandbox;
  const why = reason ? { reason: { ...reason, message: reason.message.slice(0, MAX_REASON_CHARS) } } : {};
  return stored('SandboxStageEntered', { stage, generation, sandboxId, startedAt: since ?? at, ...why }, at);
}

function spawnFailed({ sandbox, reason, logTail }: Extract<Step, { kind: 'failSpawn' }>, session: SandboxedSession, at: string): StoredEvent {
  const attempt = session.attempts + 1;
  const retryAt = isLastAttempt(attempt, reason) ? '' : new Date(Date.parse(at) + spawnBackoffMs(attempt)).toISOString();
  const { generation } = sandbox;
  return stored('SandboxSpawnFailed', { generation, attempt, reason, logTail: logTail.slice(-MAX_LOG_TAIL_CHARS), retryAt }, at);
}

function lost(
  { sandbox, reason, logTail }: Extract<Step, { kind: 'lose' }>,
  session: SandboxedSession,
  { at, appendedThrough }: Recording,
): StoredEvent {
  const turn = turnAtStake(session);
  const data: SandboxEventData['SandboxLost'] = {
    generation: sandbox.generation,
    sandboxId: sandbox.sandboxId,
    appendedThrough,
    turnId: turn?.turnId ?? '',
    turnAttempt: turn?.attempt ?? 0,
    reason,
    logTail: logTail.slice(-MAX_LOG_TAIL_CHARS),
  };
  return stored('SandboxLost', data, at, turn?.turnId);
}
