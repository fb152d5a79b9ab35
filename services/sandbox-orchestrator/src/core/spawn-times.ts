import type { StoredEvent } from '@bullpen/contracts';

import { evolve } from './sandbox.state.js';
import type { Generation, RunningTurn, SandboxedSession } from './sandbox.state.js';

/** Until a workspace stands. */
export const SPAWN_STAGES = ['requested', 'provisioning', 'restoring', 'syncing'] as const;
export type SpawnStage = (typeof SPAWN_STAGES)[number];

/** What a sandbox's workspace is made from: its source alone, a checkpoint as well, or the workspace of the sandbox before it. */
export const SPAWN_PATHS = ['cloned', 'restored', 'kept'] as const;
export type SpawnPath = (typeof SPAWN_PATHS)[number];

/** Whether the sandbox was there before the turn. */
export const TURN_PATHS = ['cold', 'warm'] as const;

export interface SpawnTimes {
  readonly stages: readonly { readonly stage: SpawnStage; readonly seconds: number }[];
  /** From the request to the workspace; null while it does not stand, or when it stood before. */
  readonly wholeSeconds: number | null;
}

/** Of the stages that these events of the sandbox lane, which follow on the session as it is, lead out of. */
export function spawnTimes(session: SandboxedSession, events: readonly StoredEvent[]): SpawnTimes {
  const stages: { stage: SpawnStage; seconds: number }[] = [];
  let wholeSeconds: number | null = null;
  let state = session;
  for (const event of events) {
    const before = state.sandbox;
    state = evolve(state, event, { lane: 'sandbox', sequence: state.sandboxLaneEnd });
    const after = state.sandbox;
    if (!before || before.ready || after?.generation !== before.generation || after.endedAt !== null || after.stage === before.stage) continue;
    const stage = SPAWN_STAGES.find((known) => known === before.stage);
    if (stage) stages.push({ stage, seconds: secondsBetween(before.stageSince, after.stageSince) });
    if (after.ready) wholeSeconds = secondsBetween(before.requestedAt, after.stageSince);
  }
  return { stages, wholeSeconds };
}

/** As the sandbox was asked for; a workspace that was kept and is gone is restored all the same. */
export function spawnPath({ workspaceOf, checkpoint }: SandboxedSession, { sandboxId }: Pick<Generation, 'sandboxId'>): SpawnPath {
  if (workspaceOf !== null && workspaceOf !== sandboxId) return 'kept';
  return checkpoint !== null && checkpoint.bundle.sha256 !== '' ? 'restored' : 'cloned';
}

export function turnPath({ startedAt }: RunningTurn, { requestedAt }: Generation): (typeof TURN_PATHS)[number] {
  return requestedAt < startedAt ? 'warm' : 'cold';
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1_000;
}
