import { describe, expect, it } from '@jest/globals';

import type { EventData, EventType, SessionLane } from '@bullpen/contracts';
import type { LogMessage } from '@bullpen/event-log';

import { followMessage, unsaidEndings } from './turn-process.js';
import type { FollowedTurns } from './turn-process.js';

const SESSION = '00aaaaaaaaaaaaaaaaaaaaaaaaaa';
type Told = Pick<LogMessage, 'lane' | 'events' | 'frames'>;

function tell<T extends EventType>(
  lane: SessionLane,
  type: T,
  data: EventData[T],
  { generation = 0, turnId = undefined as string | undefined, sessionId = SESSION } = {},
): Told {
  const event = { type, v: 1, at: '', actor: { kind: 'service', id: 'x', name: '' }, data: data as never } as const;
  return {
    lane: { entity: 'session', id: sessionId, name: lane },
    events: [turnId === undefined ? event : { ...event, turnId }],
    frames: generation === 0 ? null : { sandboxId: `${sessionId}-${generation}`, generation, first: 1, last: 1 },
  };
}

const started = (attempt = 1): Told => tell('core', 'TurnStarted', { turnId: 't1', promptId: 'p1', attempt });
const ended = (attempt = 1): Told => tell('core', 'TurnEnded', { turnId: 't1', attempt, outcome: 'failed' });
const agentStarted = (generation: number, attempt = 1): Told =>
  tell('agent', 'AgentStarted', { turnId: 't1', attempt, agent: 'pi', model: 'm', conversation: 'new' }, { generation });
const agentFinished = (outcome: 'completed' | 'failed' | 'cancelled', attempt = 1): Told =>
  tell('agent', 'AgentTurnFinished', { turnId: 't1', attempt, outcome }, { generation: 1 });
const reason = (code: string) => ({ code, message: `because of ${code}` });
const lost = (turnId: string, turnAttempt: number, code = 'sandbox.exited'): Told =>
  tell('sandbox', 'SandboxLost', {
    generation: 1,
    sandboxId: `${SESSION}-1`,
    appendedThrough: 4,
    turnId,
    turnAttempt,
    reason: reason(code),
    logTail: '',
  });
const stage = (name: 'failed' | 'ready'): Told =>
  tell('sandbox', 'SandboxStageEntered', {
    stage: name,
    generation: 3,
    sandboxId: `${SESSION}-3`,
    startedAt: '',
    reason: reason('repository.branch-missing'),
  });
const stopped = (generation: number, turnId?: string): Told =>
  tell(
    'sandbox',
    'SandboxStopped',
    { generation, sandboxId: `${SESSION}-${generation}`, reason: reason('platform.stopped') },
    turnId === undefined ? {} : { turnId },
  );

function follow(...told: Told[]): FollowedTurns {
  return told.reduce<FollowedTurns>((turns, message, index) => followMessage(turns, { ...message, sequence: index + 1 }), new Map());
}
const endings = (...told: Told[]) => unsaidEndings(follow(...told)).map(({ turn, ending }) => [turn.turnId, turn.attempt, ending]);

describe('the turn process', () => {
  it.each(['completed', 'failed', 'cancelled'] as const)('ends a turn as %s when its agent says so', (outcome) => {
    expect(endings(started(), agentStarted(1), agentFinished(outcome))).toEqual([['t1', 1, { outcome, reason: null }]]);
  });

  it('has nothing to say once it is said, and before anything ended', () => {
    expect(endings(started(), agentFinished('failed'), ended())).toEqual([]);
    expect(endings(started(), agentStarted(1), stage('ready'))).toEqual([]);
    expect(follow(started(), ended()).size).toBe(0);
  });

  it('takes the first ending', () => {
    expect(endings(started(), agentFinished('completed'), lost('t1', 1))).toEqual([['t1', 1, { outcome: 'completed', reason: null }]]);
  });

  it('ignores what is said of another attempt or turn', () => {
    expect(endings(started(), ended(), started(2), agentFinished('completed', 1))).toEqual([]);
    expect(endings(started(2), lost('t1', 1))).toEqual([]);
    expect(endings(started(), lost('t0', 1))).toEqual([]);
    expect(endings(agentFinished('completed'))).toEqual([]);
  });

  it('fails the turn whose sandbox was lost, and only when the loss names it', () => {
    const failed = { outcome: 'failed', reason: { code: 'sandbox.lost', message: 'because of sandbox.exited' } };
    expect(endings(started(), agentStarted(1), lost('t1', 1))).toEqual([['t1', 1, failed]]);
    expect(endings(started(), lost('', 0))).toEqual([]);
  });

  it('reads a loss that gives no reason', () => {
    const told = lost('t1', 1);
    const events = told.events.map((event) => ({ ...event, data: { turnId: 't1', turnAttempt: 1 } }));
    expect(endings(started(), agentStarted(1), { ...told, events })).toMatchObject([['t1', 1, { reason: { code: 'sandbox.lost' } }]]);
  });

  it('says that the platform was stopped when that is why the sandbox is gone', () => {
    const failed = { outcome: 'failed', reason: reason('platform.stopped') };
    expect(endings(started(), agentStarted(1), lost('t1', 1, 'platform.stopped'))).toEqual([['t1', 1, failed]]);
  });

  it('waits for the end of the turn after the agent failed', () => {
    const crash = tell('agent', 'AgentFailed', { turnId: 't1', attempt: 1, exitCode: 3, signal: '', reason: reason('agent.crashed'), stderr: '' });
    expect(endings(started(), agentStarted(1), crash)).toEqual([]);
    const finished = tell('agent', 'AgentTurnFinished', { turnId: 't1', attempt: 1, outcome: 'failed', reason: reason('agent.crashed') });
    expect(endings(started(), agentStarted(1), crash, finished)).toEqual([['t1', 1, { outcome: 'failed', reason: reason('agent.crashed') }]]);
  });

  it('fails the turn that no sandbox can be had for', () => {
    const failed = { outcome: 'failed', reason: { code: 'sandbox.failed', message: 'because of repository.branch-missing' } };
    expect(endings(started(), stage('failed'))).toEqual([['t1', 1, failed]]);
    // Said before the retry: it is about the attempt before.
    expect(endings(started(), stage('failed'), ended(), started(2))).toEqual([]);
  });

  it('fails the turn that runs in a sandbox which was stopped, not one that waits for the next', () => {
    const failed = { outcome: 'failed', reason: reason('platform.stopped') };
    expect(endings(started(), agentStarted(2), stopped(2))).toEqual([['t1', 1, failed]]);
    expect(endings(started(), stopped(2, 't1'))).toEqual([['t1', 1, failed]]);
    expect(endings(started(), stopped(2))).toEqual([]);
    expect(endings(started(), agentStarted(2), stopped(1))).toEqual([]);
  });

  it('keeps sessions apart and carries types it does not know', () => {
    const other = '00bbbbbbbbbbbbbbbbbbbbbbbbbb';
    const otherStarted = tell('core', 'TurnStarted', { turnId: 't1', promptId: 'p1', attempt: 1 }, { sessionId: other });
    const unknown: Told = { ...started(), events: started().events.map((event) => ({ ...event, type: 'FromTheFuture' })) };
    const turns = follow(started(), otherStarted, unknown, agentFinished('completed'));
    expect(unsaidEndings(turns).map(({ sessionId }) => sessionId)).toEqual([SESSION]);
    expect(turns.size).toBe(2);
  });
});
