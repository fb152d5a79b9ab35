import type { Reason, SandboxEventData, SandboxStage } from '@bullpen/contracts';

import type { SandboxState } from './state.js';

export const NO_SANDBOX: SandboxState = {
  generation: 0,
  sandboxId: '',
  driver: '',
  isolation: null,
  stage: null,
  stageSince: null,
  stages: [],
  reason: null,
  spawnAttempts: 0,
  logTail: '',
};

/** What an earlier attempt of the same spawn left (its reason and log) stays until a sandbox is there. */
export function requestSandbox(sandbox: SandboxState, data: SandboxEventData['SandboxRequested'], at: string): SandboxState {
  if (data.generation < sandbox.generation) return sandbox;
  const left = data.attempt > 1 ? { reason: sandbox.reason, logTail: sandbox.logTail } : { reason: null, logTail: '' };
  return {
    generation: data.generation,
    sandboxId: data.sandboxId,
    driver: data.driver,
    isolation: data.isolation,
    stage: 'requested',
    stageSince: at,
    stages: [{ stage: 'requested', startedAt: at }],
    spawnAttempts: data.attempt,
    ...left,
  };
}

export interface StageChange {
  readonly generation: number;
  readonly stage: SandboxStage;
  readonly startedAt: string;
  readonly reason: Reason | null;
}

/** A superseded generation no longer says anything about the session's sandbox. */
export function enterStage(sandbox: SandboxState, { generation, stage, startedAt, reason }: StageChange): SandboxState {
  if (generation < sandbox.generation) return sandbox;
  const settling = stage === 'requested' || stage === 'provisioning' || stage === 'restoring' || stage === 'syncing';
  return {
    ...sandbox,
    generation,
    stage,
    stageSince: startedAt,
    stages: [...sandbox.stages.filter((entry) => entry.stage !== stage), { stage, startedAt }],
    reason: settling ? (reason ?? sandbox.reason) : reason,
  };
}

export function failSpawn(sandbox: SandboxState, data: SandboxEventData['SandboxSpawnFailed']): SandboxState {
  if (data.generation < sandbox.generation) return sandbox;
  return { ...sandbox, reason: data.reason, spawnAttempts: data.attempt, logTail: data.logTail };
}

export function startGeneration(sandbox: SandboxState, generation: number, sandboxId: string): SandboxState {
  return generation > sandbox.generation ? { ...NO_SANDBOX, generation, sandboxId } : sandbox;
}
