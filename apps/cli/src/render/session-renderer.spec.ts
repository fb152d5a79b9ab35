import { describe, expect, it } from '@jest/globals';

import { ISOLATION_NOTICE } from '@bullpen/contracts';
import type { EventData, EventType, SessionEvent } from '@bullpen/contracts';

import { SessionRenderer } from './session-renderer.js';
import type { Terminal } from './terminal-text.js';

const PLAIN: Terminal = { color: false, width: null };
const SCREEN: Terminal = { color: true, width: 40 };
const ESCAPE = String.fromCharCode(27);
const NONE = { sha256: '', bytes: 0 };

describe('SessionRenderer', () => {
  it('shows a whole turn, from the prompt to the push, as plain text', () => {
    expect(render(PLAIN, wholeTurn())).toBe(
      [
        'session 00s  sample @ main  pi, scripted-1',
        '',
        '! Scripted model: no API key set',
        '',
        '> write hello.txt: hi',
        '> run: git status --short',
        '  Ada',
        '',
        '◦ sandbox 1 requested (local, bubblewrap)',
        '  provisioning  +0.1s',
        '  ready         +1.5s',
        '',
        'thinking:',
        'Easy.',
        '',
        'Writing the file.',
        '',
        '• write hello.txt',
        '  ✓ 12ms',
        '',
        '• bash git status --short',
        '  │ ?? hello.txt',
        '  ✓ 1.2s',
        '',
        'files   added hello.txt  +1 -0',
        'usage   1,200 tokens in, 300 from cache, 34 out, $0.0123',
        'commit  abcdef0123 on bullpen/00s  1 file, +1 -0',
        'pushed  bullpen/00s is at abcdef0123',
        '✓ completed in 4.2s',
        '',
      ].join('\n'),
    );
  });

  it('gives the same text however the events are cut into calls, and no escape on anything but a terminal', () => {
    const events = wholeTurn();
    const renderer = new SessionRenderer(PLAIN);
    const text = events.map((event) => renderer.event(event)).join('');
    expect(text).toBe(render(PLAIN, events));
    expect(text).not.toContain(ESCAPE);
    expect(render({ color: false, width: 40 }, events)).not.toContain(ESCAPE);
    expect(render(SCREEN, events)).toContain(`${ESCAPE}[32m✓ completed${ESCAPE}[39m`);
  });

  it('holds the final line until the push is known, or it is told to settle', () => {
    const renderer = new SessionRenderer(PLAIN);
    const events = wholeTurn();
    const text = events.slice(0, -1).map((event) => renderer.event(event)).join('');
    expect(text).not.toContain('completed');
    expect(renderer.isSettled).toBe(false);
    expect(renderer.settle()).toBe('✓ completed in 4.2s\n');
    expect(renderer.settle()).toBe('');
    expect(renderer.isSettled).toBe(true);
  });

  it('says why a push was refused and still ends the turn', () => {
    const reason = { code: 'push.rejected', message: 'the branch is protected' };
    const events = [...wholeTurn().slice(0, -1), event('BranchPushFailed', { branch: 'bullpen/00s', sha: SHA, reason })];
    expect(render(PLAIN, events)).toMatch(/! bullpen\/00s was not pushed: the branch is protected\n.*diff 00s \| git apply\n✓ completed in 4\.2s\n$/);
  });

  it('does not let a repository drive the terminal', () => {
    const evil = `${ESCAPE}]0;owned\u0007${ESCAPE}[2J\u009b31m\u202egnp.exe${ESCAPE}[31mred${ESCAPE}[0m`;
    const output = render(SCREEN, [
      event('TurnStarted', { turnId: 't', promptId: evil, attempt: 1 }),
      event('AssistantTextAppended', { partId: '1.1', offset: 0, text: evil }),
      event('ReasoningAppended', { partId: '1.2', offset: 0, text: evil }),
      event('ToolCallStarted', { toolCallId: 'c', name: evil, title: evil, input: {} }),
      event('ToolCallCompleted', { toolCallId: 'c', outcome: 'failed', output: clipped(evil), durationMs: 1 }),
      event('FilesChanged', { files: [{ path: evil, change: 'added', previousPath: '', insertions: 1, deletions: 0, binary: false }], total: 1 }),
      event('TurnEnded', { turnId: 't', attempt: 1, outcome: 'failed', reason: { code: evil, message: evil } }),
      { ...event('LaneClosed', {}), type: evil },
    ]);
    const own = new RegExp(`${ESCAPE}\\[(?:1|2|22|3[0-9])m`, 'g');
    // oxlint-disable-next-line no-control-regex -- these characters are what must not be there
    expect(output.replace(own, '')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(output).toContain('␛]0;owned');
    expect(output).not.toContain('[31mred');
  });

  it('breaks streamed text between words at the width, also when a word comes in pieces', () => {
    const texts = ['The quick brown fox jum', 'ps over the lazy dog, ', 'then rests.\n', '  indented'];
    const events = texts.map((text) => event('AssistantTextAppended', { partId: '1.1', offset: 0, text }));
    const renderer = new SessionRenderer({ color: false, width: 20 });
    const text = events.map((each) => renderer.event(each)).join('') + renderer.interrupt();
    expect(text).toBe('The quick brown fox\njumps over the lazy\ndog, then rests.\n  indented\n');
    expect(render(PLAIN, events)).toBe(texts.join(''));
  });

  it('shows the head and the end of long output, and the lines of a running tool as they come', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`);
    const renderer = new SessionRenderer(PLAIN);
    renderer.event(event('ToolCallStarted', { toolCallId: 'c', name: 'bash', title: 'seq', input: {} }));
    const progress = (text: string) => renderer.event(event('ToolCallProgressed', { toolCallId: 'c', output: clipped(text) }));
    expect(progress('line 1\nlin')).toBe('  │ line 1\n');
    expect(progress('line 1\nline 2\nli')).toBe('  │ line 2\n');
    const end = renderer.event(event('ToolCallCompleted', { toolCallId: 'c', outcome: 'failed', output: clipped(lines.join('\n')), durationMs: 61_000 }));
    expect(end.split('\n')).toEqual([
      ...['3', '4', '5', '6'].map((n) => `  │ line ${n}`),
      '  │ … 21 more lines',
      ...['28', '29', '30'].map((n) => `  │ line ${n}`),
      '  ✗ failed 1m 01s',
      '',
    ]);
  });

  it('does not count lines that it cannot know of when a running tool shows a window of its output', () => {
    const renderer = new SessionRenderer(PLAIN);
    const window = (from: number) => Array.from({ length: 20 }, (_, index) => `line ${from + index}`).join('\n');
    renderer.event(event('ToolCallStarted', { toolCallId: 'c', name: 'bash', title: 'seq', input: {} }));
    const first = renderer.event(event('ToolCallProgressed', { toolCallId: 'c', output: clipped(window(100)) }));
    expect(first.split('\n').slice(0, 6)).toEqual([100, 101, 102, 103, 104, 105].map((n) => `  │ line ${n}`));
    const end = renderer.event(event('ToolCallCompleted', { toolCallId: 'c', outcome: 'succeeded', output: clipped(window(981)), durationMs: 5 }));
    expect(end).toBe('  │ … more lines\n  │ line 998\n  │ line 999\n  │ line 1000\n  ✓ 5ms\n');
  });

  it('names the tool again when output of another one came between', () => {
    const started = (toolCallId: string) => event('ToolCallStarted', { toolCallId, name: 'bash', title: `make ${toolCallId}`, input: {} });
    const completed = (toolCallId: string) =>
      event('ToolCallCompleted', { toolCallId, outcome: 'succeeded', output: clipped(toolCallId), durationMs: 5 });
    const text = render(PLAIN, [started('a'), started('b'), completed('a'), completed('b')]);
    expect(text).toBe(
      '• bash make a\n\n• bash make b\n\n• bash make a\n  │ a\n  ✓ 5ms\n\n• bash make b\n  │ b\n  ✓ 5ms\n',
    );
  });

  it('keeps the push of the turn before out of what the agent says now', () => {
    const checkpoint = (sha: string) =>
      event('CheckpointCreated', {
        turnId: 't', attempt: 1, sha, parent: 'base', base: 'base', branch: 'bullpen/00s',
        stats: { files: 1, insertions: 1, deletions: 0 }, patch: NONE, turnPatch: NONE, bundle: NONE,
      });
    const start = event('TurnStarted', { turnId: 't', promptId: 'p', attempt: 1 });
    const end = event('TurnEnded', { turnId: 't', attempt: 1, outcome: 'completed' });
    const tool = event('ToolCallStarted', { toolCallId: 'c', name: 'bash', title: 'exit 3', input: {} });
    const done = event('ToolCallCompleted', { toolCallId: 'c', outcome: 'failed', output: clipped(''), durationMs: 5 });
    const pushed = event('BranchPushed', { branch: 'bullpen/00s', sha: 'first'.padEnd(40, '0') });
    const first = checkpoint('first'.padEnd(40, '0'));
    const idle = render(PLAIN, [start, first, end, start, tool, pushed, done, end]);
    expect(idle.split('• bash exit 3')).toHaveLength(2);
    expect(idle.slice(idle.indexOf('• bash'))).toContain('✗ failed 5ms\n\npushed  bullpen/00s is at first00000\n');
    const busy = render(PLAIN, [start, first, end, start, tool, pushed, done, checkpoint('second'.padEnd(40, '0')), end]);
    expect(busy).not.toContain('pushed');
    const refused = event('BranchPushFailed', { branch: 'bullpen/00s', sha: 'first'.padEnd(40, '0'), reason: { code: 'push.refused', message: 'No.' } });
    const text = render(PLAIN, [start, first, end, start, tool, refused, done, checkpoint('second'.padEnd(40, '0')), end]);
    expect(text).toContain('! bullpen/00s was not pushed: No.\n  To take the changes all the same:  ./bullpen diff 00s | git apply\n');
  });

  it('says where the changes of a turn are that ended without a commit', () => {
    const text = render(PLAIN, [
      event('TurnStarted', { turnId: 't', promptId: 'p', attempt: 1 }),
      event('FilesChanged', { files: [{ path: 'a', change: 'added', previousPath: '', insertions: 1, deletions: 0, binary: false }], total: 1 }),
      event('TurnEnded', { turnId: 't', attempt: 1, outcome: 'failed', reason: { code: 'sandbox.lost', message: 'It was killed.' } }),
    ]);
    expect(text).toContain('files   added a  +1 -0\n        not committed, and in no diff: kept in the workspace for the next prompt\n');
  });

  it('shows what the agent notices as a notice', () => {
    expect(render(PLAIN, [event('AgentNoticed', { text: 'Retry 1 of 3.', level: 'warning' })])).toBe('! Retry 1 of 3.\n');
  });

  it('warns once when there is no isolation', () => {
    const requested = (generation: number) =>
      event('SandboxRequested', { generation, sandboxId: `00s-${generation}`, driver: 'local', isolation: 'none', attempt: 1 });
    const text = render(PLAIN, [requested(1), requested(2)]);
    expect(text.split(ISOLATION_NOTICE)).toHaveLength(2);
    const known = new SessionRenderer(PLAIN).begin({ modelProvider: 'scripted', isolation: 'none', prompts: [] });
    expect(known).toContain('Scripted model: no API key set');
    expect(known).toContain(ISOLATION_NOTICE);
  });

  it('tells of failures: spawn, loss, agent, turn; and of what it does not know', () => {
    const reason = { code: 'sandbox.lost', message: 'The runner was killed.' };
    const text = render(PLAIN, [
      event('TurnStarted', { turnId: 't', promptId: 'p', attempt: 2 }),
      event('SandboxSpawnFailed', { generation: 1, attempt: 1, reason, logTail: 'fatal: no disk', retryAt: AT(5) }),
      event('SandboxLost', { generation: 1, sandboxId: '00s-1', appendedThrough: 3, turnId: 't', turnAttempt: 2, reason, logTail: '' }),
      event('AgentFailed', { turnId: 't', attempt: 2, exitCode: 7, signal: '', reason: { code: 'agent.crashed', message: 'It ended.' }, stderr: 'boom' }),
      event('TurnEnded', { turnId: 't', attempt: 2, outcome: 'failed', reason }),
      { ...event('LaneClosed', {}), type: 'FutureThing' },
    ]);
    expect(text).toContain('! attempt 2\n');
    expect(text).toContain('✗ sandbox did not start (attempt 1, trying again): The runner was killed.\n  │ fatal: no disk\n');
    expect(text).toContain('✗ sandbox 1 was lost: The runner was killed.\n');
    expect(text).toContain('✗ agent failed (exit code 7): It ended.\n  │ boom\n');
    expect(text).toMatch(/✗ failed in .*: The runner was killed\. \(sandbox\.lost\)\n/);
    expect(text).toContain('! unknown event FutureThing');
  });

  it('announces a prompt that waits, and heads its turn with it later', () => {
    const queue = (promptId: string, text: string) =>
      event('PromptQueued', { promptId, text, author: { name: 'Ada', email: 'a@b' }, requestHash: '' });
    const start = (promptId: string) => event('TurnStarted', { turnId: `t-${promptId}`, promptId, attempt: 1 });
    const text = render(PLAIN, [queue('1', 'first'), start('1'), queue('2', 'second\nmore')]);
    expect(text).toBe('> first\n  Ada\n\n+ queued by Ada: second\n');
  });
});

const SHA = 'abcdef0123456789abcdef0123456789abcdef01';

function wholeTurn(): SessionEvent[] {
  const repository = { id: '00r', name: 'sample', source: '/sample' };
  const author = { name: 'Ada', email: 'ada@example.com' };
  const stats = { files: 1, insertions: 1, deletions: 0 };
  const stage = (name: 'provisioning' | 'ready', startedAt: string) =>
    event('SandboxStageEntered', { stage: name, generation: 1, sandboxId: '00s-1', startedAt });
  return [
    event('SessionCreated', {
      organisationId: '00o', title: 'T', repository, branch: 'main', agent: 'pi', model: 'scripted-1', modelProvider: 'scripted', requestHash: '',
    }),
    event('PromptQueued', { promptId: 'p', text: 'write hello.txt: hi\nrun: git status --short\n', author, requestHash: '' }),
    event('TurnStarted', { turnId: 't', promptId: 'p', attempt: 1 }),
    event('SandboxRequested', { generation: 1, sandboxId: '00s-1', driver: 'local', isolation: 'bubblewrap', attempt: 1 }),
    event('GenerationStarted', { generation: 1, sandboxId: '00s-1' }),
    stage('provisioning', AT(0.1)),
    stage('provisioning', AT(0.1)),
    stage('ready', AT(1.5)),
    event('AgentStarted', { turnId: 't', attempt: 1, agent: 'pi', model: 'scripted-1', conversation: 'new' }),
    event('ReasoningAppended', { partId: '1.1', offset: 0, text: 'Easy.' }),
    event('AssistantTextAppended', { partId: '1.2', offset: 0, text: 'Writing ' }),
    event('AssistantTextAppended', { partId: '1.2', offset: 8, text: 'the file.' }),
    event('ToolCallStarted', { toolCallId: 'a', name: 'write', title: 'hello.txt', input: {} }),
    event('ToolCallCompleted', { toolCallId: 'a', outcome: 'succeeded', output: clipped(''), durationMs: 12 }),
    event('ToolCallStarted', { toolCallId: 'b', name: 'bash', title: 'git status --short', input: {} }),
    event('ToolCallCompleted', { toolCallId: 'b', outcome: 'succeeded', output: clipped('?? hello.txt\n'), durationMs: 1_250 }),
    event('UsageReported', { model: 'm', inputTokens: 1_000, outputTokens: 30, cacheReadTokens: 300, cacheWriteTokens: 0, costUsd: 0.01 }),
    event('UsageReported', { model: 'm', inputTokens: 200, outputTokens: 4, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.0023 }),
    event('FilesChanged', { files: [{ path: 'hello.txt', change: 'added', previousPath: '', insertions: 1, deletions: 0, binary: false }], total: 1 }),
    event('CheckpointCreated', {
      turnId: 't', attempt: 1, sha: SHA, parent: 'base', base: 'base', branch: 'bullpen/00s', stats, patch: NONE, turnPatch: NONE, bundle: NONE,
    }),
    event('AgentTurnFinished', { turnId: 't', attempt: 1, outcome: 'completed' }),
    { ...event('TurnEnded', { turnId: 't', attempt: 1, outcome: 'completed' }), at: AT(4.2) },
    event('BranchPushed', { branch: 'bullpen/00s', sha: SHA }),
  ];
}

function render(terminal: Terminal, events: readonly SessionEvent[]): string {
  const renderer = new SessionRenderer(terminal);
  return events.map((each) => renderer.event(each)).join('');
}

function clipped(text: string) {
  return { text, tail: '', sha256: '', bytes: Buffer.byteLength(text) };
}

function AT(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 23, 10, 0, 0) + seconds * 1_000).toISOString();
}

let next = 1;
function event<T extends EventType>(type: T, data: EventData[T]): SessionEvent {
  const id = String(next++ * 256);
  const actor = { kind: 'user' as const, id: 'local', name: 'Ada' };
  return { id, prev: null, sessionId: '00s', lane: 'core', type, v: 1, at: AT(0), actor, data: data as SessionEvent['data'] };
}
