import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { MAX_PROMPT_BYTES } from '@bullpen/contracts';
import type { CoreEventData } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import { deciderSpecification } from '@bullpen/eventsourcing';

import type { NewPrompt, SessionCommand } from './session.commands.js';
import { queuePosition } from './session.aggregate.js';
import { MAX_QUEUED_PROMPTS, sessionDecider } from './session.decider.js';
import type { SessionAggregate } from './session.aggregate.js';
import { turnIdOf } from './session.events.js';
import type { SessionCoreEvent } from './session.events.js';

const organisationId = 'org';
const sessionId = 's-1';
const session: CoreEventData['SessionCreated'] = {
  organisationId,
  title: 'Fix the login',
  repository: { id: 'repo', name: 'sample', source: '/srv/sample' },
  branch: 'main',
  agent: 'pi',
  model: 'scripted-1',
  modelProvider: 'scripted',
  requestHash: 'hash of the request',
};
const promptOf = (promptId: string, text = `do ${promptId}`): NewPrompt => ({
  promptId,
  text,
  author: { name: 'Uma', email: 'uma@example.org' },
  requestHash: `hash of ${text}`,
});

const created: SessionCoreEvent = { type: 'SessionCreated', data: session };
const queued = (promptId: string): SessionCoreEvent => ({ type: 'PromptQueued', data: promptOf(promptId) });
const started = (promptId: string, attempt = 1): SessionCoreEvent => ({
  type: 'TurnStarted',
  data: { turnId: turnIdOf(promptId), promptId, attempt },
});
const retried = (promptId: string, attempt: number, requestId = 'retry 1'): SessionCoreEvent => ({
  type: 'TurnStarted',
  data: { turnId: turnIdOf(promptId), promptId, attempt, requestId },
});
const cancelRequested = (promptId: string, requestId = 'cancel 1'): SessionCoreEvent => ({
  type: 'TurnCancelRequested',
  data: { turnId: turnIdOf(promptId), requestId },
});
const lost = { code: 'sandbox.lost', message: 'gone' };
const spawnFailed = { code: 'sandbox.failed', message: 'three attempts' };
const ended = (
  promptId: string,
  outcome: 'completed' | 'failed' | 'cancelled' = 'completed',
  reason: { code: string; message: string } | null = outcome === 'failed' ? lost : null,
  attempt = 1,
): SessionCoreEvent => ({ type: 'TurnEnded', data: { turnId: turnIdOf(promptId), attempt, outcome, ...(reason ? { reason } : {}) } });

const create = (prompt: NewPrompt | null = null): SessionCommand => ({ type: 'CreateSession', sessionId, session, prompt });
const queue = (promptId: string, text?: string): SessionCommand => ({
  type: 'QueuePrompt',
  organisationId,
  sessionId,
  prompt: promptOf(promptId, text),
});
const cancel = (
  seen: string | null,
  { agentHasIt = false, attempt = 1, requestId = 'cancel 1' }: { agentHasIt?: boolean; attempt?: number; requestId?: string } = {},
): SessionCommand => ({
  type: 'CancelTurn',
  organisationId,
  sessionId,
  requestId,
  seen: seen === null ? null : { turnId: turnIdOf(seen), attempt, agentHasIt },
});
const retry: SessionCommand = { type: 'RetryTurn', organisationId, sessionId, requestId: 'retry 1' };
const end = (
  promptId: string,
  outcome: 'completed' | 'failed' | 'cancelled' = 'completed',
  reason: { code: string; message: string } | null = outcome === 'failed' ? lost : null,
  attempt = 1,
): SessionCommand => ({ type: 'EndTurn', turnId: turnIdOf(promptId), attempt, ending: { outcome, reason } });

const { given } = deciderSpecification(sessionDecider);
const running = [created, queued('p1'), started('p1')];

describe('CreateSession', () => {
  it('makes a session that waits for its first prompt', () => given([]).when(create()).then([created]));
  it('starts the turn of its first prompt at once', () =>
    given([]).when(create(promptOf('p1'))).then([created, queued('p1'), started('p1')]));
  it('does nothing when repeated', () => given(running).when(create(promptOf('p1'))).thenNothing());
  it('rejects another request under the same key', () =>
    given(running)
      .when({ type: 'CreateSession', sessionId, session: { ...session, requestHash: 'another' }, prompt: null })
      .thenRejects('idempotency.mismatch'));
  it('rejects a prompt without words', () => given([]).when(create(promptOf('p1', ' \n'))).thenRejects('prompt.empty'));
});

describe('the trace of a prompt that waited', () => {
  const traced = (event: SessionCoreEvent, traceparent: string): SessionCoreEvent => ({ ...event, traceparent });
  const waiting = [...running, traced(queued('p2'), '00-two')];

  it('is that of the request that queued it, whatever starts its turn', () => {
    given(waiting).when(end('p1')).then([ended('p1'), traced(started('p2'), '00-two')]);
    const stuck = [...waiting, ended('p1', 'failed', spawnFailed)];
    given(stuck).when(queue('p3')).then([queued('p3'), traced(started('p2'), '00-two')]);
  });
  it('is that of the command for a turn that it starts at once, or again', () => {
    given([created]).when(queue('p1')).then([queued('p1'), started('p1')]);
    const failed = [...waiting, ended('p1'), traced(started('p2'), '00-two'), ended('p2', 'failed')];
    given(failed).when(retry).then([retried('p2', 2)]);
  });
});

describe('QueuePrompt', () => {
  it('starts the turn when none runs', () => given([created]).when(queue('p1')).then([queued('p1'), started('p1')]));
  it('waits while a turn runs', () => given(running).when(queue('p2')).then([queued('p2')]));
  it('does nothing when repeated, waiting, running or done', () => {
    given(running).when(queue('p1')).thenNothing();
    given([...running, queued('p2')]).when(queue('p2')).thenNothing();
    given([...running, ended('p1')]).when(queue('p1')).thenNothing();
  });
  it('rejects another text under the same key', () => given(running).when(queue('p1', 'other')).thenRejects('idempotency.mismatch'));
  it('rejects what is empty or too large, counted in bytes', () => {
    given([created]).when(queue('p1', '')).thenRejects('prompt.empty');
    given([created]).when(queue('p1', 'ä'.repeat(MAX_PROMPT_BYTES / 2 + 1))).thenRejects('prompt.too-large');
    given([created]).when(queue('p1', 'x'.repeat(MAX_PROMPT_BYTES + 1))).thenRejects('prompt.too-large');
    const largest = promptOf('p1', 'ä'.repeat(MAX_PROMPT_BYTES / 2));
    const event: SessionCoreEvent = { type: 'PromptQueued', data: largest };
    given([created]).when({ type: 'QueuePrompt', organisationId, sessionId, prompt: largest }).then([event, started('p1')]);
  });
  it('rejects a prompt to a session that is not there, or is not ours', () => {
    given([]).when(queue('p1')).thenRejects('session.not-found');
    given([created]).when({ type: 'QueuePrompt', organisationId: 'other', sessionId, prompt: promptOf('p1') }).thenRejects('session.not-found');
  });
  it('rejects more than can wait', () => {
    const many = Array.from({ length: MAX_QUEUED_PROMPTS }, (_, n) => queued(`q${n}`));
    given([...running, ...many]).when(queue('p2')).thenRejects('queue.full');
  });
  it('sets a paused queue going from its front', () =>
    given([...running, queued('p2'), ended('p1', 'failed', spawnFailed)]).when(queue('p3')).then([queued('p3'), started('p2')]));
});

describe('CancelTurn', () => {
  const begun = { agentHasIt: true };
  it('asks the agent that has the prompt to stop', () => given(running).when(cancel('p1', begun)).then([cancelRequested('p1')]));
  it('ends the turn by itself when no agent has begun, and starts the next', () => {
    given(running).when(cancel('p1')).then([cancelRequested('p1'), ended('p1', 'cancelled')]);
    given([...running, queued('p2')]).when(cancel('p1')).then([cancelRequested('p1'), ended('p1', 'cancelled'), started('p2')]);
  });
  it('leaves a turn or an attempt alone that started after it was asked', () => {
    const next = [...running, queued('p2'), ended('p1'), started('p2')];
    given(next).when(cancel('p1', begun)).thenNothing();
    given(next).when(cancel(null)).thenNothing();
    const again = [...running, ended('p1', 'failed'), started('p1', 2)];
    given(again).when(cancel('p1', begun)).thenNothing();
    given(again).when(cancel('p1', { attempt: 2 })).then([cancelRequested('p1'), ended('p1', 'cancelled', null, 2)]);
  });
  it('does nothing when repeated, whatever runs by now', () => {
    const done = [...running, queued('p2'), cancelRequested('p1'), ended('p1', 'cancelled'), started('p2')];
    given(done).when(cancel('p2')).thenNothing();
    given(done).when(cancel('p2', { requestId: 'cancel 2' })).then([cancelRequested('p2', 'cancel 2'), ended('p2', 'cancelled')]);
  });
  it('does nothing when no turn runs, or was asked already', () => {
    given([created]).when(cancel(null)).thenNothing();
    given([...running, cancelRequested('p1')]).when(cancel('p1', { ...begun, requestId: 'cancel 2' })).thenNothing();
  });
  it('rejects when there is no such session', () => given([]).when(cancel(null)).thenRejects('session.not-found'));
});

describe('RetryTurn', () => {
  const failedOnce = [...running, ended('p1', 'failed')];
  it('starts the failed turn again as the next attempt', () => given(failedOnce).when(retry).then([retried('p1', 2)]));
  it('goes on counting', () =>
    given([...failedOnce, started('p1', 2), ended('p1', 'failed', lost, 2)]).when(retry).then([retried('p1', 3)]));
  it('sets a paused queue going with the failed turn', () =>
    given([...running, queued('p2'), ended('p1', 'failed', spawnFailed)]).when(retry).then([retried('p1', 2)]));
  it('does nothing when repeated, also once its attempt has failed too', () => {
    given([...failedOnce, retried('p1', 2)]).when(retry).thenNothing();
    const failedTwice = [...failedOnce, retried('p1', 2), ended('p1', 'failed', lost, 2)];
    given(failedTwice).when(retry).thenNothing();
    given(failedTwice).when({ ...retry, requestId: 'retry 2' }).then([retried('p1', 3, 'retry 2')]);
  });
  it('does nothing when a turn runs, none has, or the last did not fail', () => {
    given(running).when(retry).thenNothing();
    given([created]).when(retry).thenNothing();
    given([...running, ended('p1')]).when(retry).thenNothing();
    given([...running, ended('p1', 'cancelled')]).when(retry).thenNothing();
    given([...failedOnce, started('p1', 2)]).when(retry).thenNothing();
  });
  it('rejects when there is no such session', () => given([]).when(retry).thenRejects('session.not-found'));
});

describe('EndTurn', () => {
  it('ends the running turn', () => given(running).when(end('p1')).then([ended('p1')]));
  it('starts the next prompt in the same append, also after a lost sandbox', () => {
    const history = [...running, queued('p2'), queued('p3')];
    given(history).when(end('p1')).then([ended('p1'), started('p2')]);
    given(history).when(end('p1', 'failed')).then([ended('p1', 'failed'), started('p2')]);
  });
  it('pauses the queue when no sandbox can be had', () =>
    given([...running, queued('p2')]).when(end('p1', 'failed', spawnFailed)).then([ended('p1', 'failed', spawnFailed)]));
  it('does nothing for a turn or an attempt that does not run', () => {
    given([...running, ended('p1')]).when(end('p1')).thenNothing();
    given(running).when(end('p2')).thenNothing();
    given([...running, ended('p1', 'failed'), started('p1', 2)]).when(end('p1')).thenNothing();
    given([]).when(end('p1')).thenNothing();
  });
});

describe('any order of commands', () => {
  const promptIds = ['a', 'b', 'c', 'd', 'e'];
  const anyPrompt = fc.constantFrom(...promptIds);
  const anyAttempt = fc.integer({ min: 1, max: 3 });
  const anyRequest = fc.integer({ min: 1, max: 20 }).map((n) => `request ${n}`);
  const anyCommand: fc.Arbitrary<SessionCommand> = fc.oneof(
    anyPrompt.map((promptId) => queue(promptId)),
    fc
      .tuple(fc.option(anyPrompt), anyAttempt, fc.boolean(), anyRequest)
      .map(([seen, attempt, agentHasIt, requestId]) => cancel(seen, { agentHasIt, attempt, requestId })),
    anyRequest.map((requestId): SessionCommand => ({ type: 'RetryTurn', organisationId, sessionId, requestId })),
    fc.constant(create(promptOf('a'))),
    fc
      .tuple(anyPrompt, fc.constantFrom('completed' as const, 'failed' as const, 'cancelled' as const), fc.boolean(), anyAttempt)
      .map(([promptId, outcome, noSandbox, attempt]) =>
        end(promptId, outcome, outcome === 'failed' ? (noSandbox ? spawnFailed : lost) : null, attempt),
      ),
  );

  const decideAll = (commands: readonly SessionCommand[]): { events: SessionCoreEvent[]; state: SessionAggregate } => {
    const events: SessionCoreEvent[] = [];
    let state = sessionDecider.initialState();
    for (const command of commands) {
      const decided = attempt(() => sessionDecider.decide(command, state));
      events.push(...decided);
      state = decided.reduce(sessionDecider.evolve, state);
    }
    return { events, state };
  };
  const attempt = (decide: () => readonly SessionCoreEvent[]): readonly SessionCoreEvent[] => {
    try {
      return decide();
    } catch (error) {
      if (error instanceof Rejection) return [];
      throw error;
    }
  };
  const check = (holds: (events: readonly SessionCoreEvent[], state: SessionAggregate) => void): void => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 60 }), (commands) => {
        const { events, state } = decideAll([create(), ...commands]);
        holds(events, state);
      }),
      { numRuns: 400 },
    );
  };

  it('has at most one running turn, and ends only what runs', () =>
    check((events) => {
      let current: string | null = null;
      for (const event of events) {
        if (event.type === 'TurnStarted') {
          expect(current).toBeNull();
          current = `${event.data.turnId}.${event.data.attempt}`;
        }
        if (event.type === 'TurnEnded') {
          expect(current).toBe(`${event.data.turnId}.${event.data.attempt}`);
          current = null;
        }
      }
    }));

  it('starts prompts in the order in which they were queued', () =>
    check((events) => {
      const queuedIds = events.flatMap((event) => (event.type === 'PromptQueued' ? [event.data.promptId] : []));
      const startedIds = events.flatMap((event) => (event.type === 'TurnStarted' && event.data.attempt === 1 ? [event.data.promptId] : []));
      expect(startedIds).toEqual(queuedIds.slice(0, startedIds.length));
    }));

  it('starts every attempt of a prompt once, counting from 1', () =>
    check((events) => {
      const attempts = new Map<string, number>();
      for (const event of events) {
        if (event.type !== 'TurnStarted') continue;
        const { promptId, attempt: number } = event.data;
        expect(number).toBe((attempts.get(promptId) ?? 0) + 1);
        attempts.set(promptId, number);
      }
    }));

  it('lets prompts wait only behind a running turn or a sandbox that cannot be had', () =>
    check((events, state) => {
      if (state.phase !== 'open' || state.running || state.queue.length === 0) return;
      const last = events.findLast((event) => event.type === 'TurnEnded');
      expect(last?.data).toMatchObject({ outcome: 'failed', reason: { code: 'sandbox.failed' } });
    }));

  it('decides nothing more on a state that holds what was decided', () =>
    check((_, state) => {
      for (const promptId of promptIds) {
        if (queuePosition(state, promptId) > 0) expect(sessionDecider.decide(queue(promptId), state)).toEqual([]);
      }
      expect(sessionDecider.decide(create(), state)).toEqual([]);
    }));
});

const renamed = (title: string): SessionCoreEvent => ({ type: 'SessionRenamed', data: { title } });
const archived: SessionCoreEvent = { type: 'SessionArchived', data: {} };
const unarchived: SessionCoreEvent = { type: 'SessionUnarchived', data: {} };
const deleted: SessionCoreEvent = { type: 'SessionDeleted', data: {} };
const laneClosed: SessionCoreEvent = { type: 'LaneClosed', data: {} };
const rename = (title: string): SessionCommand => ({ type: 'RenameSession', organisationId, sessionId, title });
const archive = (begun: string | null): SessionCommand => ({
  type: 'ArchiveSession',
  organisationId,
  sessionId,
  seen: begun === null ? null : { turnId: turnIdOf(begun), attempt: 1, agentHasIt: true },
});
const unarchive: SessionCommand = { type: 'UnarchiveSession', organisationId, sessionId };
const remove: SessionCommand = { type: 'DeleteSession', organisationId, sessionId };
const edit = (promptId: string, text: string | null, before: string | null = null): SessionCommand => ({
  type: 'EditPrompt',
  organisationId,
  sessionId,
  promptId,
  edit: { text, before },
});
const withdraw = (promptId: string): SessionCommand => ({ type: 'WithdrawPrompt', organisationId, sessionId, promptId });

const cancelAsked: SessionCoreEvent = { type: 'TurnCancelRequested', data: { turnId: turnIdOf('p1') } };

describe('RenameSession', () => {
  it('gives another title', () => given([created]).when(rename('Mend the login')).then([renamed('Mend the login')]));
  it('does nothing when it is called so', () => given([created, renamed('New')]).when(rename('New')).thenNothing());
  it('rejects an empty and an endless title', () => {
    given([created]).when(rename('  ')).thenRejects('title.empty');
    given([created]).when(rename('x'.repeat(201))).thenRejects('title.too-long');
  });
});

describe('ArchiveSession', () => {
  it('archives what rests', () => given([created]).when(archive(null)).then([archived]));
  it('does nothing when repeated', () => given([created, archived]).when(archive(null)).thenNothing());
  it('asks the agent that runs to stop, and lets it end the turn', () =>
    given(running).when(archive('p1')).then([cancelAsked, archived]));
  it('ends a turn that no agent has, and starts none of those that wait', () =>
    given([...running, queued('p2')]).when(archive(null)).then([cancelAsked, ended('p1', 'cancelled'), archived]));
  it('starts nothing when the turn ends later', () =>
    given([...running, queued('p2'), cancelAsked, archived]).when(end('p1', 'cancelled')).then([ended('p1', 'cancelled')]));
  it('takes no prompt and no retry', () => {
    given([created, archived]).when(queue('p1')).thenRejects('session.archived');
    given([...running, ended('p1', 'failed'), archived]).when(retry).thenRejects('session.archived');
  });
});

describe('UnarchiveSession', () => {
  it('brings it back', () => given([created, archived]).when(unarchive).then([unarchived]));
  it('does nothing when it is not archived', () => given([created]).when(unarchive).thenNothing());
  it('goes on with what waited', () =>
    given([...running, queued('p2'), cancelAsked, ended('p1', 'cancelled'), archived])
      .when(unarchive)
      .then([unarchived, started('p2')]));
  it('waits for the turn that is still being stopped', () =>
    given([...running, queued('p2'), cancelAsked, archived]).when(unarchive).then([unarchived]));
});

describe('DeleteSession', () => {
  const gone = { code: 'session.deleted', message: 'The session was deleted.' };
  it('deletes what rests', () => given([created]).when(remove).then([deleted]));
  it('ends the turn first, whoever has it', () =>
    given([...running, queued('p2')]).when(remove).then([cancelAsked, ended('p1', 'cancelled', gone), deleted]));
  it('leaves nothing that could be asked of it', () => {
    for (const command of [remove, rename('x'), archive(null), unarchive, queue('p1'), retry, cancel(null), create()]) {
      given([created, deleted]).when(command).thenRejects('session.not-found');
      given([laneClosed]).when(command).thenRejects('session.not-found');
    }
  });
  it('lets nothing follow the end of the lane', () => {
    given([created, deleted]).when({ type: 'CloseLane' }).then([laneClosed]);
    given([laneClosed]).when({ type: 'CloseLane' }).thenNothing();
    given([created]).when({ type: 'CloseLane' }).thenNothing();
    given([...running, deleted]).when(end('p1')).thenNothing();
  });
});

describe('a prompt that waits', () => {
  const three = [...running, queued('p2'), queued('p3'), queued('p4')];
  const moved = (promptId: string, before: string): SessionCoreEvent => ({ type: 'PromptMoved', data: { promptId, before } });
  const withdrawn = (promptId: string): SessionCoreEvent => ({ type: 'PromptWithdrawn', data: { promptId } });
  const edited: SessionCoreEvent = { type: 'PromptEdited', data: { promptId: 'p2', text: 'better' } };

  it('takes another text and another place', () => {
    given(three).when(edit('p2', 'better')).then([edited]);
    given(three).when(edit('p4', null, 'p2')).then([moved('p4', 'p2')]);
    given(three).when(edit('p2', 'better', '')).then([edited, moved('p2', '')]);
  });
  it('stays where it is when it stands there', () => {
    given(three).when(edit('p2', null, 'p3')).thenNothing();
    given(three).when(edit('p4', null, '')).thenNothing();
    given(three).when(edit('p3', null, 'p3')).thenNothing();
  });
  it('runs in the new order', () =>
    given([...three, moved('p4', 'p2')]).when(end('p1')).then([ended('p1'), started('p4')]));
  it('can be taken out, once', () => {
    given(three).when(withdraw('p3')).then([withdrawn('p3')]);
    given([...three, withdrawn('p3')]).when(withdraw('p3')).thenNothing();
    given([...three, withdrawn('p2')]).when(end('p1')).then([ended('p1'), started('p3')]);
  });
  it('must wait, and be there', () => {
    given(three).when(edit('p1', 'x')).thenRejects('prompt.not-waiting');
    given(three).when(withdraw('p1')).thenRejects('prompt.not-waiting');
    given(three).when(withdraw('p9')).thenRejects('prompt.not-found');
    given(three).when(edit('p2', null, 'p9')).thenRejects('prompt.not-found');
    given(three).when(edit('p2', 'x'.repeat(MAX_PROMPT_BYTES + 1))).thenRejects('prompt.too-large');
  });
});
