import { describe, expect, it } from '@jest/globals';

import type { SandboxStage } from '@bullpen/contracts';
import type { SandboxState } from '@bullpen/session-model';
import { initialSessionState } from '@bullpen/session-model';

import { SLOW_STAGE_MS, stagesOf } from './sandbox-view.js';

const START = Date.parse('2026-03-04T12:00:00Z');

function sandboxOf(...stages: readonly (readonly [SandboxStage, number])[]): SandboxState {
  const entries = stages.map(([stage, ms]) => ({ stage, startedAt: new Date(START + ms).toISOString() }));
  return { ...initialSessionState('s').sandbox, stage: entries.at(-1)?.stage ?? null, stages: entries };
}

const shown = (sandbox: SandboxState, afterMs: number): string[] => stagesOf(sandbox, START + afterMs).map(({ name, state, tookMs }) => `${name} ${state} ${tookMs}`);

describe('stagesOf', () => {
  it('says how long each stage of the start took, and which one lasts', () => {
    const starting = sandboxOf(['requested', 0], ['provisioning', 100], ['restoring', 900]);
    expect(shown(starting, 1_000)).toEqual(['Requested done 100', 'Starting done 800', 'Getting files running null']);
  });

  it('shows after the start only what the sandbox does now', () => {
    const running = sandboxOf(['requested', 0], ['provisioning', 100], ['ready', 500], ['idle', 700], ['running', 900]);
    expect(shown(running, 10_000)).toEqual(['Requested done 100', 'Starting done 400', 'Running running null']);
  });

  it('marks a stage that is slow, and one that failed', () => {
    expect(shown(sandboxOf(['provisioning', 0]), SLOW_STAGE_MS + 1)).toEqual(['Starting slow null']);
    expect(shown(sandboxOf(['provisioning', 0], ['failed', 50]), 60)).toEqual(['Starting done 50', 'Failed failed null']);
  });
});
