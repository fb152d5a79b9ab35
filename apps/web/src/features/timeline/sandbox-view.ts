import type { SandboxStage } from '@bullpen/contracts';
import type { SandboxState } from '@bullpen/session-model';

/** A stage of starting that takes longer than this is worth a look. */
export const SLOW_STAGE_MS = 30_000;

export interface StageView {
  readonly stage: SandboxStage;
  readonly name: string;
  readonly state: 'done' | 'running' | 'slow' | 'resting' | 'failed';
  /** Milliseconds of `Date.now()`. */
  readonly startedAt: number;
  /** How long it took; null while it lasts. */
  readonly tookMs: number | null;
}

const NAMES: Readonly<Record<SandboxStage, string>> = {
  requested: 'Requested',
  provisioning: 'Starting',
  restoring: 'Getting files',
  syncing: 'Updating',
  ready: 'Ready',
  running: 'Running',
  idle: 'Idle',
  stopped: 'Stopped',
  lost: 'Lost',
  failed: 'Failed',
};

const STARTING: readonly SandboxStage[] = ['requested', 'provisioning', 'restoring', 'syncing'];

/** The stages of the start, with how long each took, and the one it is in now. */
export function stagesOf({ stages, stage: current }: SandboxState, now: number): readonly StageView[] {
  return stages.flatMap(({ stage, startedAt }, index): readonly StageView[] => {
    const isCurrent = stage === current;
    if (!isCurrent && !STARTING.includes(stage)) return [];
    const since = Date.parse(startedAt);
    const next = stages[index + 1];
    const tookMs = isCurrent || next === undefined ? null : Math.max(0, Date.parse(next.startedAt) - since);
    return [{ stage, name: NAMES[stage], state: isCurrent ? stateOf(stage, now - since) : 'done', startedAt: since, tookMs }];
  });
}

function stateOf(stage: SandboxStage, lastedMs: number): StageView['state'] {
  switch (stage) {
    case 'requested':
    case 'provisioning':
    case 'restoring':
    case 'syncing':
      return lastedMs > SLOW_STAGE_MS ? 'slow' : 'running';
    case 'running':
      return 'running';
    case 'ready':
    case 'idle':
    case 'stopped':
      return 'resting';
    case 'lost':
    case 'failed':
      return 'failed';
  }
}
