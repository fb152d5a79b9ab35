import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { EventData, EventType, SessionEvent } from '@bullpen/contracts';

import { SESSION_MODEL, compareEventIds, evolveSession, foldSession, initialSessionState } from './index.js';
import type { SessionState, TurnItem } from './index.js';

const SESSION = '00abcdefghijklmnopqrstuvwx';
const clip = (text: string) => ({ text, tail: '', sha256: '', bytes: text.length });
const author = { name: 'Ada', email: 'ada@example.org' };

/** Numbers events as a log would: ids rise, each names the one before. */
function history(...steps: { type: string; data: object; turnId?: string }[]): SessionEvent[] {
  return steps.map(({ type, data, turnId }, index) => ({
    id: String((index + 1) * 256),
    prev: index === 0 ? null : String(index * 256),
    sessionId: SESSION,
    lane: 'core',
    type,
    v: 1,
    at: `2026-11-23T07:00:${String(index % 60).padStart(2, '0')}.000Z`,
    actor: { kind: 'user', id: 'local', name: 'Ada' },
    ...(turnId === undefined ? {} : { turnId }),
    data: JSON.parse(JSON.stringify(data)),
  }));
}

function step<T extends EventType>(type: T, data: Partial<EventData[T]>, turnId?: string) {
  return { type, data, ...(turnId === undefined ? {} : { turnId }) };
}

const created = step('SessionCreated', {
  title: 'Fix it',
  repository: { id: 'r', name: 'sample', source: '/srv/sample' },
  branch: 'main',
  agent: 'pi',
  model: 'm',
  modelProvider: 'scripted',
});
const prompt = (n: number) => step('PromptQueued', { promptId: `p${n}`, text: `do ${n}`, author });
const start = (n: number, attempt = 1) => step('TurnStarted', { turnId: `t${n}`, promptId: `p${n}`, attempt });
const agent = (n: number, attempt = 1) => step('AgentStarted', { turnId: `t${n}`, attempt, conversation: 'new' });
const text = (partId: string, offset: number, value: string) => step('AssistantTextAppended', { partId, offset, text: value });
const end = (n: number, outcome: 'completed' | 'failed' | 'cancelled', attempt = 1) =>
  step('TurnEnded', {
    turnId: `t${n}`,
    attempt,
    outcome,
    ...(outcome === 'failed' ? { reason: { code: 'sandbox.lost', message: 'The sandbox is gone.' } } : {}),
  });
const call = (id: string) => step('ToolCallStarted', { toolCallId: id, name: 'bash', title: 'ls', input: { command: 'ls' } });

const fold = (...steps: Parameters<typeof history>) => foldSession(SESSION, history(...steps));
const itemsOf = (state: SessionState): readonly TurnItem[] => state.turns.at(-1)?.items ?? [];

describe('foldSession', () => {
  it('knows who made the session and what for', () => {
    expect(fold(created)).toMatchObject({ title: 'Fix it', branch: 'main', agent: 'pi', head: '256', status: 'idle' });
  });

  it('moves a prompt from the queue into its turn', () => {
    const waiting = fold(created, prompt(1), start(1), prompt(2));
    expect(waiting.queue.map((entry) => entry.promptId)).toEqual(['p2']);
    expect(waiting.turns[0]).toMatchObject({ turnId: 't1', prompt: 'do 1', author, state: 'starting', attempt: 1 });
  });

  it.each<[string, ReturnType<typeof step>[], string]>([
    ['idle before a prompt', [], 'idle'],
    ['queued while no agent has the prompt', [prompt(1), start(1)], 'queued'],
    ['running once the agent has it', [prompt(1), start(1), agent(1)], 'running'],
    [
      'running while it is being cancelled',
      [prompt(1), start(1), agent(1), step('TurnCancelRequested', { turnId: 't1' })],
      'running',
    ],
    ['idle after a completed turn', [prompt(1), start(1), agent(1), end(1, 'completed')], 'idle'],
    ['idle after a cancelled turn', [prompt(1), start(1), agent(1), end(1, 'cancelled')], 'idle'],
    ['failed after a failed turn', [prompt(1), start(1), agent(1), end(1, 'failed')], 'failed'],
    ['queued while prompts wait after a failure', [prompt(1), start(1), prompt(2), end(1, 'failed')], 'queued'],
    ['queued when the next turn starts', [prompt(1), start(1), end(1, 'failed'), prompt(2), start(2)], 'queued'],
  ])('is %s', (_name, steps, status) => {
    expect(fold(created, ...steps).status).toBe(status);
  });

  it('ignores an agent and an end of another attempt', () => {
    const retried = [created, prompt(1), start(1), agent(1), end(1, 'failed'), start(1, 2)];
    expect(fold(...retried, agent(1, 1)).status).toBe('queued');
    expect(fold(...retried, end(1, 'completed', 1)).runningTurnId).toBe('t1');
  });

  it('keeps what a failed attempt did, and why it failed, when it is tried again', () => {
    const state = fold(created, prompt(1), start(1), agent(1), text('1.1', 0, 'half'), end(1, 'failed'), start(1, 2));
    expect(state.turns).toHaveLength(1);
    expect(state.turns[0]).toMatchObject({ attempt: 2, state: 'starting', reason: null, endedAt: null });
    expect(itemsOf(state).map((item) => item.kind)).toEqual(['text', 'notice']);
    expect(itemsOf(state)[1]).toMatchObject({ code: 'sandbox.lost', text: 'Attempt 1 ended: The sandbox is gone.' });
  });

  it('puts text together by part and offset', () => {
    const parts = [
      text('1.1', 0, 'Hel'),
      step('ReasoningAppended', { partId: '1.1', offset: 0, text: 'hm' }),
      text('1.2', 0, 'B'),
    ];
    const state = fold(
      created,
      prompt(1),
      start(1),
      agent(1),
      ...parts,
      text('1.1', 3, 'lo'),
      text('1.1', 4, 'O!'),
      text('1.1', 90, '?'),
    );
    expect(itemsOf(state)).toEqual([
      { kind: 'text', id: '1280', partId: '1.1', text: 'HellO!?' },
      { kind: 'reasoning', id: '1536', partId: '1.1', text: 'hm' },
      { kind: 'text', id: '1792', partId: '1.2', text: 'B' },
    ]);
  });

  it('keeps what the agent notices, which is no reasoning', () => {
    const state = fold(created, prompt(1), start(1), agent(1), step('AgentNoticed', { text: 'Retry 1 of 3.', level: 'warning' }));
    expect(itemsOf(state)).toEqual([{ kind: 'notice', id: '1280', level: 'warning', code: 'agent.noticed', text: 'Retry 1 of 3.' }]);
  });

  it('follows a tool call to its outcome', () => {
    const done = step('ToolCallCompleted', { toolCallId: 'c', outcome: 'failed', output: clip('no'), durationMs: 7 });
    const late = step('ToolCallProgressed', { toolCallId: 'c', output: clip('late') });
    const state = fold(created, prompt(1), start(1), agent(1), call('c'), done, late, call('c'));
    expect(itemsOf(state)).toMatchObject([
      { kind: 'tool', state: 'failed', output: { text: 'no' }, durationMs: 7, input: { command: 'ls' } },
      { kind: 'tool', state: 'running', output: null },
    ]);
  });

  it('cancels tool calls that have no outcome when the turn ends', () => {
    expect(itemsOf(fold(created, prompt(1), start(1), agent(1), call('c'), end(1, 'cancelled')))).toMatchObject([
      { state: 'cancelled' },
    ]);
  });

  it('adds usage up and replaces files and plan', () => {
    const usage = step('UsageReported', {
      model: 'm',
      inputTokens: 2,
      outputTokens: 3,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costUsd: 0.5,
    });
    const files = (path: string) =>
      step('FilesChanged', {
        files: [{ path, change: 'added', previousPath: '', insertions: 1, deletions: 0, binary: false }],
        total: 1,
      });
    const state = fold(created, prompt(1), start(1), agent(1), usage, usage, files('a'), files('b'));
    expect(state.usage).toMatchObject({ inputTokens: 4, outputTokens: 6, costUsd: 1 });
    expect(state.turns[0]?.usage).toEqual(state.usage);
    expect(state.files.map((file) => file.path)).toEqual(['b']);
  });

  it('knows the checkpoint of the session and of the turn, and how the push went', () => {
    const object = { sha256: 'a'.repeat(64), bytes: 3 };
    const checkpoint = step('CheckpointCreated', {
      turnId: 't1',
      sha: 's',
      parent: 'b',
      base: 'b',
      patch: object,
      turnPatch: object,
    });
    const failed = step('BranchPushFailed', { branch: 'x', sha: 's', reason: { code: 'push.refused', message: 'Protected.' } });
    const state = fold(created, prompt(1), start(1), agent(1), checkpoint, failed);
    expect(state.checkpoint).toMatchObject({ sha: 's', turnPatch: object });
    expect(state.turns[0]?.checkpoint).toEqual(state.checkpoint);
    expect(state.push).toMatchObject({ state: 'failed', reason: { code: 'push.refused' } });
    expect(itemsOf(state)).toMatchObject([{ kind: 'notice', level: 'warning', code: 'push.refused' }]);
  });

  it('shows an event that this build does not know, and never throws on data it cannot read', () => {
    const state = fold(created, prompt(1), start(1), { type: 'MoonRose', data: {} }, { type: 'AgentFailed', data: {} });
    expect(itemsOf(state)).toMatchObject([{ code: 'event.unknown' }, { code: 'event.unreadable' }]);
    expect(state.head).toBe('1280');
    expect(fold({ type: 'MoonRose', data: {} }).head).toBe('256');
  });
});

describe('the sandbox of a session', () => {
  const request = (generation: number, attempt: number) =>
    step('SandboxRequested', { generation, sandboxId: `s-${generation}`, driver: 'local', isolation: 'bubblewrap', attempt });
  const stage = (name: 'provisioning' | 'running' | 'idle', generation = 1) =>
    step('SandboxStageEntered', { stage: name, generation, sandboxId: `s-${generation}`, startedAt: '2026-11-23T07:00:00.000Z' });
  const reason = { code: 'sandbox.spawn-failed', message: 'No disk.' };
  const spawnFailed = step('SandboxSpawnFailed', {
    generation: 1,
    attempt: 1,
    reason,
    logTail: 'tail',
    retryAt: '2026-11-23T07:00:09Z',
  });

  it('lists each stage where it was entered last', () => {
    const { sandbox } = fold(created, request(1, 1), stage('provisioning'), stage('running'), stage('idle'), stage('running'));
    expect(sandbox).toMatchObject({ generation: 1, stage: 'running', isolation: 'bubblewrap' });
    expect(sandbox.stages.map((entry) => entry.stage)).toEqual(['requested', 'provisioning', 'idle', 'running']);
  });

  it('keeps why a spawn failed until a sandbox is there', () => {
    const steps = [created, prompt(1), start(1), request(1, 1), spawnFailed, request(2, 2), stage('provisioning', 2)];
    expect(fold(...steps).sandbox).toMatchObject({ generation: 2, spawnAttempts: 2, reason, logTail: 'tail' });
    expect(fold(...steps, stage('running', 2)).sandbox.reason).toBeNull();
    expect(itemsOf(fold(...steps))).toMatchObject([{ level: 'warning', code: 'sandbox.spawn-failed' }]);
  });

  it('says that it is lost, in the turn that was lost with it', () => {
    const lost = step('SandboxLost', { generation: 1, turnId: 't1', turnAttempt: 1, reason, logTail: 'last words' });
    const state = fold(created, prompt(1), start(1), request(1, 1), agent(1), lost);
    expect(state.sandbox).toMatchObject({ stage: 'lost', reason, logTail: 'last words' });
    expect(itemsOf(state)).toMatchObject([{ level: 'error', code: 'sandbox.spawn-failed' }]);
  });

  it('does not listen to a superseded generation', () => {
    expect(fold(created, request(2, 1), stage('running', 1)).sandbox.stage).toBe('requested');
  });
});

describe('evolveSession', () => {
  const full = history(
    created,
    prompt(1),
    start(1),
    agent(1),
    text('1.1', 0, 'Hel'),
    prompt(2),
    text('1.1', 3, 'lo'),
    call('c'),
    step('ToolCallCompleted', { toolCallId: 'c', outcome: 'succeeded', output: clip('ok'), durationMs: 1 }),
    { type: 'MoonRose', data: {} },
    end(1, 'completed'),
    start(2),
    agent(2),
    text('1.3', 0, 'x'),
    end(2, 'failed'),
    start(2, 2),
  );

  it('gives the same state however the events are cut into batches, and whatever comes again', () => {
    const cuts = fc.array(fc.tuple(fc.nat(full.length), fc.nat(4)), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (batches) => {
        let state = initialSessionState(SESSION);
        let sent = 0;
        for (const [length, overlap] of [...batches, [full.length, 0] as const]) {
          for (const event of full.slice(Math.max(0, sent - overlap), sent + length)) state = evolveSession(state, event);
          sent = Math.min(full.length, sent + length);
        }
        expect(state).toEqual(foldSession(SESSION, full));
      }),
    );
  });

  it('goes on from a state that was stored at any event as if it had folded everything', () => {
    full.forEach((_, index) => {
      const stored = JSON.parse(JSON.stringify(foldSession(SESSION, full.slice(0, index)))) as SessionState;
      expect(full.reduce(evolveSession, stored)).toEqual(foldSession(SESSION, full));
    });
  });

  it('returns the very same state for an event it already holds', () => {
    const state = foldSession(SESSION, full);
    for (const event of full) expect(evolveSession(state, event)).toBe(state);
  });

  it('leaves finished turns their identity', () => {
    const ended = foldSession(SESSION, full.slice(0, 11));
    expect(foldSession(SESSION, full).turns[0]).toEqual(ended.turns[0]);
    let state = ended;
    for (const event of full.slice(11)) state = evolveSession(state, event);
    expect(state.turns[0]).toBe(ended.turns[0]);
  });

  it('never throws and never changes a state it was given, whatever the data', () => {
    const types = fc.constantFrom<string>(
      ...full.map((event) => event.type),
      'SandboxLost',
      'SandboxStageEntered',
      'FilesChanged',
      'PlanUpdated',
    );
    const wild = fc.array(
      fc.record({ type: types, data: fc.dictionary(fc.constantFrom('turnId', 'text', 'offset', 'reason'), fc.jsonValue()) }),
    );
    fc.assert(
      fc.property(wild, (steps) => {
        const before = foldSession(SESSION, full);
        const frozen = JSON.stringify(before);
        let state = before;
        for (const event of history(...[...full, ...steps])) state = evolveSession(state, event);
        expect(JSON.stringify(before)).toBe(frozen);
      }),
    );
  });
});

describe('SESSION_MODEL', () => {
  it('is another one when the same events make another state: stored states are folded on', () => {
    const object = { sha256: 'a'.repeat(64), bytes: 3 };
    const sandboxed = { generation: 1, sandboxId: 's-1', startedAt: '2026-11-23T07:00:00.000Z' };
    const reason = { code: 'x', message: 'y' };
    const state = fold(
      created, prompt(1), start(1), prompt(2), prompt(3), step('PromptWithdrawn', { promptId: 'p3' }),
      step('SandboxRequested', { ...sandboxed, driver: 'local', isolation: 'bubblewrap', attempt: 1 }),
      step('SandboxStageEntered', { ...sandboxed, stage: 'running' }),
      agent(1), text('1.1', 0, 'Hel'), text('1.1', 3, 'lo'), step('ReasoningAppended', { partId: '1.2', offset: 0, text: 'hm' }),
      call('c'), step('ToolCallCompleted', { toolCallId: 'c', outcome: 'succeeded', output: clip('ok'), durationMs: 1 }), call('d'),
      step('AgentNoticed', { level: 'info', text: 'n' }),
      step('PlanUpdated', { entries: [] }),
      step('FilesChanged', { files: [{ path: 'a', change: 'added', previousPath: '', insertions: 1, deletions: 0, binary: false }], total: 1 }),
      step('UsageReported', { inputTokens: 1, outputTokens: 1, cacheReadTokens: 1, cacheWriteTokens: 1, costUsd: 1 }),
      step('CheckpointCreated', { turnId: 't1', sha: 's', parent: 'b', base: 'b', patch: object, turnPatch: object }),
      step('BranchPushFailed', { branch: 'x', sha: 's', reason }),
      step('FrameRejected', { reason }), step('AgentFailed', { turnId: 't1', reason, stderr: 'e' }), { type: 'MoonRose', data: {} },
      end(1, 'failed'), start(1, 2), agent(1, 2), step('SandboxLost', { generation: 1, turnId: 't1', turnAttempt: 2, reason, logTail: 'l' }),
      end(1, 'cancelled', 2), start(2), step('TurnCancelRequested', { turnId: 't2' }),
      step('SessionRenamed', { title: 'Other' }), step('SessionArchived', {}),
    );
    const digest = createHash('sha256').update(JSON.stringify(state)).digest('hex').slice(0, 16);
    // It differs? Raise SESSION_MODEL, and write both down here.
    expect([SESSION_MODEL, digest]).toEqual(['session.v1', 'c06890fd338c8b9a']);
  });
});

describe('compareEventIds', () => {
  it('orders as integers do', () => {
    const big = fc.bigInt({ min: 0n, max: 2n ** 70n });
    fc.assert(
      fc.property(big, big, (a, b) => expect(Math.sign(compareEventIds(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0)),
    );
  });
});
