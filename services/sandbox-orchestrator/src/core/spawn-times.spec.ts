import { describe, expect, it } from '@jest/globals';

import type { EventData, EventType, JsonRecord, SandboxStage, SessionLane, StoredEvent } from '@bullpen/contracts';

import { evolve, newSandboxedSession } from './sandbox.state.js';
import type { SandboxedSession } from './sandbox.state.js';
import { spawnPath, spawnTimes, turnPath } from './spawn-times.js';

const OBJECT = { sha256: 'c'.repeat(64), bytes: 1 };
const REASON = { code: 'sandbox.lost', message: 'gone' };

const at = (second: number): string => new Date(Date.UTC(2026, 10, 1) + second * 1_000).toISOString();
const event = <T extends EventType>(type: T, data: Partial<EventData[T]>, second = 0): StoredEvent => ({
  type,
  v: 1,
  at: at(second),
  actor: { kind: 'service', id: 'o', name: 'o' },
  data: data as unknown as JsonRecord,
});
const fold = (state: SandboxedSession, lane: SessionLane, ...events: readonly StoredEvent[]): SandboxedSession =>
  events.reduce((before, each) => evolve(before, each, { lane, sequence: 1 }), state);
const entered = (stage: SandboxStage, second: number, generation = 1): StoredEvent =>
  event('SandboxStageEntered', { stage, generation, sandboxId: `s-${generation}`, startedAt: at(second) }, second);
const asked = (second: number, generation = 1): StoredEvent => event('SandboxRequested', { generation, sandboxId: `s-${generation}` }, second);

const requested = fold(newSandboxedSession('s'), 'sandbox', asked(10), entered('requested', 10));

describe('spawnTimes', () => {
  it('gives each stage the time until the next, and the whole once the workspace stands', () => {
    expect(spawnTimes(requested, [entered('provisioning', 11)])).toEqual({ stages: [{ stage: 'requested', seconds: 1 }], wholeSeconds: null });
    const provisioning = fold(requested, 'sandbox', entered('provisioning', 11));
    expect(spawnTimes(provisioning, [entered('restoring', 13), entered('syncing', 17), entered('ready', 18)])).toEqual({
      stages: [
        { stage: 'provisioning', seconds: 2 },
        { stage: 'restoring', seconds: 4 },
        { stage: 'syncing', seconds: 1 },
      ],
      wholeSeconds: 8,
    });
  });

  it('says nothing of a sandbox that is ready, or that ends', () => {
    const ready = fold(requested, 'sandbox', entered('ready', 12));
    expect(spawnTimes(ready, [entered('running', 13), entered('idle', 14)])).toEqual({ stages: [], wholeSeconds: null });
    const lost = event('SandboxLost', { generation: 1, sandboxId: 's-1', turnId: '', turnAttempt: 0, reason: REASON }, 60);
    expect(spawnTimes(requested, [lost, entered('lost', 60)])).toEqual({ stages: [], wholeSeconds: null });
    expect(spawnTimes(newSandboxedSession('s'), [asked(1), entered('requested', 1)])).toEqual({ stages: [], wholeSeconds: null });
  });

  it('never goes back in time with a sandbox that says so', () => {
    const provisioning = fold(requested, 'sandbox', entered('provisioning', 11));
    expect(spawnTimes(provisioning, [entered('restoring', -1_000_000_000), entered('ready', 15)])).toEqual({
      stages: [
        { stage: 'provisioning', seconds: 0 },
        { stage: 'restoring', seconds: 4 },
      ],
      wholeSeconds: 5,
    });
  });
});

describe('spawnPath', () => {
  it('is cloned at first, restored from a checkpoint, kept with the workspace of the sandbox before', () => {
    expect(spawnPath(requested, { sandboxId: 's-1' })).toBe('cloned');
    const checkpoint = event('CheckpointCreated', { sha: 'a'.repeat(40), bundle: OBJECT });
    const checkpointed = fold(requested, 'agent', checkpoint);
    expect(spawnPath(checkpointed, { sandboxId: 's-2' })).toBe('restored');
    const ready = fold(checkpointed, 'sandbox', entered('ready', 12));
    expect(spawnPath(ready, { sandboxId: 's-2' })).toBe('kept');
    expect(spawnPath(ready, { sandboxId: 's-1' })).toBe('restored');
  });
});

describe('turnPath', () => {
  it('is warm when the sandbox was asked for before the turn', () => {
    const turn = (second: number) => fold(requested, 'core', event('TurnStarted', { turnId: 't', promptId: 'p', attempt: 1 }, second));
    for (const [second, path] of [[9, 'cold'], [10, 'cold'], [11, 'warm']] as const) {
      const { turn: running, sandbox } = turn(second);
      expect(running && sandbox && turnPath(running, sandbox)).toBe(path);
    }
  });
});
