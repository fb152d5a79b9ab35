import { describe, expect, it } from '@jest/globals';

import { PiPromptReader } from './pi.records.js';

function read(...records: Record<string, unknown>[]) {
  const reader = new PiPromptReader();
  return { reader, events: records.flatMap((record) => reader.read(record)) };
}

const modelCall = (fields: Record<string, unknown>) => ({
  type: 'message_end',
  message: { role: 'assistant', model: 'm', ...fields },
});
const delta = (type: string, contentIndex: number, text: string) => ({
  type: 'message_update',
  assistantMessageEvent: { type, contentIndex, delta: text },
});

describe('PiPromptReader', () => {
  it('tells the parts of one prompt apart by message and block', () => {
    const start = { type: 'message_start', message: { role: 'assistant' } };
    const { events } = read(
      start,
      delta('thinking_delta', 0, 'hm'),
      delta('text_delta', 1, 'a'),
      start,
      delta('text_delta', 1, 'b'),
    );
    expect(events).toEqual([
      { kind: 'reasoning', key: '1.0', delta: 'hm' },
      { kind: 'text', key: '1.1', delta: 'a' },
      { kind: 'text', key: '2.1', delta: 'b' },
    ]);
  });

  it('reports a tool call from start to end, titled by its command', () => {
    const call = { toolCallId: 't1', toolName: 'bash' };
    const { events } = read(
      { type: 'tool_execution_start', ...call, args: { command: 'ls\npwd' } },
      { type: 'tool_execution_update', ...call, partialResult: { content: [] } },
      { type: 'tool_execution_update', ...call, partialResult: { content: [{ type: 'text', text: 'a' }] } },
      { type: 'tool_execution_end', ...call, result: { content: [{ type: 'text', text: 'ab' }] }, isError: true },
    );
    expect(events).toEqual([
      { kind: 'toolStarted', toolCallId: 't1', name: 'bash', input: { command: 'ls\npwd' }, title: 'ls' },
      { kind: 'toolProgressed', toolCallId: 't1', output: 'a' },
      { kind: 'toolCompleted', toolCallId: 't1', failed: true, output: 'ab' },
    ]);
  });

  it('reports usage per model call', () => {
    const usage = { input: 3, output: 4, cacheRead: 5, cacheWrite: 6, totalTokens: 18, cost: { total: 0.5 } };
    const { events } = read(modelCall({ usage, stopReason: 'stop' }));
    expect(events).toEqual([
      { kind: 'usage', model: 'm', inputTokens: 3, outputTokens: 4, cacheReadTokens: 5, cacheWriteTokens: 6, costUsd: 0.5 },
    ]);
  });

  it('makes a retry a notice and a later success a completed turn', () => {
    const { reader, events } = read(
      modelCall({ stopReason: 'error', errorMessage: '529 {"error":{"message":"Overloaded"}}' }),
      {
        type: 'auto_retry_start',
        attempt: 1,
        maxAttempts: 3,
        delayMs: 2000,
        errorMessage: '529 {"error":{"message":"Overloaded"}}',
      },
      modelCall({ stopReason: 'stop' }),
    );
    expect(events).toEqual([{ kind: 'notice', level: 'warning', text: 'The model call failed (Overloaded). Retry 1 of 3 in 2 s.' }]);
    expect(reader.result(false)).toEqual({ outcome: 'completed', reason: null });
  });

  it.each([
    ['401 {"type":"error","error":{"message":"invalid x-api-key"}}', 'model.unauthorized'],
    ['404 {"error":{"message":"model: nope"}}', 'model.unknown'],
    ['429 slow down', 'model.overloaded'],
    ['500 oops', 'model.failed'],
    ['Connection error.', 'model.failed'],
    ['ENOSPC: no space left on device, write', 'disk.full'],
  ])('gives the failure %s the code %s', (errorMessage, code) => {
    const { reader } = read(modelCall({ stopReason: 'error', errorMessage }));
    expect(reader.result(false)).toMatchObject({ outcome: 'failed', reason: { code } });
  });

  it('counts an interrupted prompt as cancelled, whatever the model said last', () => {
    expect(read(modelCall({ stopReason: 'stop' })).reader.result(true).outcome).toBe('cancelled');
    expect(read(modelCall({ stopReason: 'aborted' })).reader.result(false).outcome).toBe('cancelled');
  });
});
