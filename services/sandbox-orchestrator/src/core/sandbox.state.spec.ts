import { describe, expect, it } from '@jest/globals';

import type { EventOf, EventType, JsonRecord, SessionLane, StoredEvent } from '@bullpen/contracts';

import { planPush } from './push.plan.js';
import { awaitsItsEnd, evolve, liveGeneration, newSandboxedSession, turnAtStake, turnInNeed } from './sandbox.state.js';
import type { SandboxedSession } from './sandbox.state.js';

const AT = '2026-11-01T10:00:00.000Z';
const REASON = { code: 'sandbox.lost', message: 'gone' };
const AUTHOR = { name: 'Ada', email: '' };
const TURN = { turnId: 't1', attempt: 1 };
const SHA = 'a'.repeat(40);
const OBJECT = { sha256: 'c'.repeat(64), bytes: 1 };

type Placed = readonly [SessionLane, StoredEvent];

function on<T extends EventType>(lane: SessionLane, type: T, data: EventOf<T>['data']): Placed {
  return [lane, { type, v: 1, at: AT, actor: { kind: 'user', id: 'u', name: 'u' }, data: data as unknown as JsonRecord }];
}

function fold(...events: readonly Placed[]): SandboxedSession {
  return events.reduce((state, [lane, event], index) => evolve(state, event, { lane, sequence: index + 1 }), newSandboxedSession('s'));
}

const repository = { id: 'r', name: 'r', source: '/r' };
const created = { organisationId: '', title: '', repository, branch: 'main', agent: 'pi', model: 'm', requestHash: '' };
const turnStarted = [
  on('core', 'SessionCreated', { ...created, modelProvider: 'scripted' }),
  on('core', 'PromptQueued', { promptId: 'p1', text: 'x', author: AUTHOR, requestHash: '' }),
  on('core', 'TurnStarted', { ...TURN, promptId: 'p1' }),
];
const requested = [
  ...turnStarted,
  on('sandbox', 'SandboxRequested', { generation: 1, sandboxId: 's-1', driver: 'fake', isolation: 'none', attempt: 1 }),
  on('agent', 'GenerationStarted', { generation: 1, sandboxId: 's-1' }),
];
const ready = [
  ...requested,
  on('sandbox', 'SandboxStageEntered', { stage: 'ready', generation: 1, sandboxId: 's-1', startedAt: AT }),
];
const working = [...ready, on('agent', 'AgentStarted', { ...TURN, agent: 'pi', model: 'm', conversation: 'new' })];
const checkpointed = [
  ...working,
  on('agent', 'CheckpointCreated', {
    ...TURN,
    sha: SHA,
    parent: 'b',
    base: 'b',
    branch: 'bullpen/s',
    stats: { files: 1, insertions: 1, deletions: 0 },
    patch: OBJECT,
    turnPatch: OBJECT,
    bundle: OBJECT,
  }),
];

function lost(turnId: string, turnAttempt: number): Placed {
  return on('sandbox', 'SandboxLost', { generation: 1, sandboxId: 's-1', appendedThrough: 0, turnId, turnAttempt, reason: REASON, logTail: '' });
}

describe('the fold of a session', () => {
  it('wants a sandbox from the start of a turn to its end where it runs', () => {
    expect(turnInNeed(fold(...turnStarted))).toMatchObject(TURN);
    expect(turnInNeed(fold(...working))).toMatchObject(TURN);
    expect(turnInNeed(fold(...working, on('agent', 'AgentTurnFinished', { ...TURN, outcome: 'completed' })))).toBeNull();
    expect(turnInNeed(fold(...working, on('core', 'TurnEnded', { ...TURN, outcome: 'failed' })))).toBeNull();
  });

  it('does not take the end of another attempt for this one’s', () => {
    expect(fold(...working, on('core', 'TurnEnded', { turnId: 't1', attempt: 2, outcome: 'failed' })).turn).toMatchObject(TURN);
    expect(fold(...working, on('agent', 'AgentTurnFinished', { turnId: 't1', attempt: 2, outcome: 'failed' })).agentTurn?.finished).toBe(false);
  });

  it('has a turn at stake only while an agent works on it', () => {
    expect(turnAtStake(fold(...ready))).toBeNull();
    expect(turnAtStake(fold(...working))).toMatchObject(TURN);
    expect(turnAtStake(fold(...working, on('agent', 'AgentTurnFinished', { ...TURN, outcome: 'completed' })))).toBeNull();
  });

  it('awaits the end of a turn whose sandbox was lost, and offers the workspace to the next one', () => {
    const state = fold(...working, lost('t1', 1));
    expect(awaitsItsEnd(state)).toBe(true);
    expect(state).toMatchObject({ workspaceOf: 's-1', attempts: 0 });
    expect(liveGeneration(state)).toBeNull();
  });

  it('counts sandboxes that ended before the agent had the prompt, and starts again with the next turn', () => {
    const state = fold(...ready, lost('', 0));
    expect(state.attempts).toBe(1);
    expect(fold(...ready, lost('', 0), on('core', 'TurnStarted', { turnId: 't1', promptId: 'p1', attempt: 2 })).attempts).toBe(0);
  });

  it('keeps the prompt of the last turn for a retry, and forgets older ones', () => {
    const next = [
      on('core', 'PromptQueued', { promptId: 'p2', text: 'y', author: AUTHOR, requestHash: '' }),
      on('core', 'TurnEnded', { ...TURN, outcome: 'completed' }),
      on('core', 'TurnStarted', { turnId: 't2', promptId: 'p2', attempt: 1 }),
    ];
    expect(Object.keys(fold(...turnStarted, ...next).prompts)).toEqual(['p2']);
    const retried = fold(...turnStarted, on('core', 'TurnStarted', { turnId: 't1', promptId: 'p1', attempt: 2 }));
    expect(retried.prompts).toHaveProperty('p1');
    expect(retried.turnIds).toEqual(['t1']);
  });

  it('is closed by archiving and opened again, by types of a later version', () => {
    const archived: Placed = ['core', { ...on('core', 'LaneClosed', {})[1], type: 'SessionArchived' }];
    const unarchived: Placed = ['core', { ...on('core', 'LaneClosed', {})[1], type: 'SessionUnarchived' }];
    expect(turnInNeed(fold(...turnStarted, archived))).toBeNull();
    expect(turnInNeed(fold(...turnStarted, archived, unarchived))).not.toBeNull();
  });

  it('gives back the same state for what does not matter', () => {
    const [lane, event] = on('agent', 'AssistantTextAppended', { partId: '1.1', offset: 0, text: 'x' });
    const state = fold(...working, [lane, event]);
    expect(state.agentTurn).toMatchObject({ answered: true });
    expect(evolve(state, event, { lane, sequence: 99 })).toBe(state);
    expect(evolve(state, { ...event, type: 'FromTheFuture' }, { lane, sequence: 99 })).toBe(state);
  });
});

describe('planPush', () => {
  it('keeps the bundle of a commit that a later turn names without one', () => {
    const unchanged = { ...TURN, sha: SHA, parent: SHA, base: 'b', branch: 'bullpen/s', stats: { files: 1, insertions: 1, deletions: 0 } };
    const nothing = { sha256: '', bytes: 0 };
    const named = on('agent', 'CheckpointCreated', { ...unchanged, patch: nothing, turnPatch: nothing, bundle: nothing });
    expect(fold(...checkpointed, named).checkpoint).toMatchObject({ sha: SHA, bundle: OBJECT });
  });

  it('pushes a checkpoint until its outcome is in the log', () => {
    expect(planPush(fold(...working))).toBeNull();
    expect(planPush(fold(...checkpointed))).toMatchObject({ sha: SHA });
    expect(planPush(fold(...checkpointed, on('agent', 'BranchPushed', { branch: 'bullpen/s', sha: SHA })))).toBeNull();
    const refused = { branch: 'bullpen/s', sha: SHA, reason: { code: 'push.refused', message: '' } };
    expect(planPush(fold(...checkpointed, on('agent', 'BranchPushFailed', refused)))).toBeNull();
  });
});
