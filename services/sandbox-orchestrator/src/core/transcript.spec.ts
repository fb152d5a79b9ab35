import { describe, expect, it } from '@jest/globals';

import type { EventOf, EventType, JsonRecord, SessionEvent } from '@bullpen/contracts';

import { addToTranscript, newTranscript, renderTranscript } from './transcript.js';

const MAX = 64 * 1024;
const AUTHOR = { name: 'Ada', email: '' };

function event<T extends EventType>(type: T, data: EventOf<T>['data']): SessionEvent {
  const actor = { kind: 'user', id: 'u', name: 'u' } as const;
  return { id: '1', prev: null, sessionId: 's', lane: 'core', type, v: 1, at: '', actor, data: data as unknown as JsonRecord };
}

function turn(n: number, text: string): SessionEvent[] {
  const [promptId, turnId] = [`p${n}`, `t${n}`];
  return [
    event('PromptQueued', { promptId, text, author: AUTHOR, requestHash: '' }),
    event('TurnStarted', { turnId, promptId, attempt: 1 }),
    event('AssistantTextAppended', { partId: '1.1', offset: 0, text: 'I will ' }),
    event('AssistantTextAppended', { partId: '1.1', offset: 7, text: 'do it.' }),
    event('ToolCallStarted', { toolCallId: 'c', name: 'bash', input: {}, title: 'ls -l' }),
    event('ToolCallCompleted', { toolCallId: 'c', outcome: 'succeeded', output: { text: 'a\nb', tail: '', sha256: '', bytes: 3 }, durationMs: 1 }),
    event('TurnEnded', { turnId, attempt: 1, outcome: 'completed' }),
  ];
}

function render(events: readonly SessionEvent[], maxChars = MAX): string | null {
  return renderTranscript(events.reduce(addToTranscript, newTranscript()), maxChars);
}

describe('transcript', () => {
  it('is null when nothing was said', () => {
    expect(render([])).toBeNull();
    expect(render([event('PromptQueued', { promptId: 'p', text: 'waits', author: AUTHOR, requestHash: '' })])).toBeNull();
  });

  it('tells prompts, answers, tool calls with their output, in order', () => {
    expect(render(turn(1, 'Fix the bug'))).toBe(
      '# Conversation so far\n\n## User\n\nFix the bug\n\n## Assistant\n\nI will do it.\n\n- Tool `bash`: ls -l\n  succeeded\n\n      a\n      b\n\n',
    );
  });

  it('says how a turn ended that did not complete, and repeats the prompt of a retry', () => {
    const reason = { code: 'sandbox.lost', message: 'It is gone.' };
    const text = render([
      ...turn(1, 'Fix it').slice(0, 3),
      event('TurnEnded', { turnId: 't1', attempt: 1, outcome: 'failed', reason }),
      event('TurnStarted', { turnId: 't1', promptId: 'p1', attempt: 2 }),
    ]);
    expect(text).toContain('(This turn ended: failed, It is gone.)');
    expect(text).toContain('## User (attempt 2)\n\nFix it');
  });

  it('keeps the newest parts when there is no room for all', () => {
    const text = render(Array.from({ length: 200 }, (_, n) => turn(n, `prompt ${n} ${'x'.repeat(2_000)}`)).flat());
    expect(text?.length).toBeLessThanOrEqual(MAX);
    expect(text).toContain('(Earlier parts are left out.)');
    expect(text).toContain('prompt 199');
    expect(text).not.toContain('prompt 0 ');
  });

  it('cuts one long part instead of losing the rest', () => {
    const text = render([...turn(1, 'short'), ...turn(2, 'y'.repeat(120_000))]);
    expect(text).toContain('short');
    expect(text?.length).toBeLessThan(20_000);
  });
});
