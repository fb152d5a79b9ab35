import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { RunnerFrame } from '@bullpen/contracts';
import { RUNNER_EVENT_TYPES, sessionBranch } from '@bullpen/contracts';

import { MAX_FRAME_BYTES } from './bounds.js';
import { checkFrame, endedByStop, rejectedFrame } from './runner-frames.js';
import type { FrameSource } from './runner-frames.js';

const SESSION = '00session000000000000000000000';
const SOURCE: FrameSource = { sessionId: SESSION, sandboxId: `${SESSION}-2`, generation: 2, isTurn: (turnId) => turnId === 'turn1' };
const AT = '2026-11-01T10:00:00.000Z';
const SHA256 = 'c'.repeat(64);
const COMMIT = 'a'.repeat(40);

function check(type: string, data: Record<string, unknown>, turnId?: string) {
  const frame: RunnerFrame = { n: 7, type, data, ...(turnId === undefined ? {} : { turnId }) };
  return checkFrame(frame, SOURCE, AT);
}

function codeOf(result: ReturnType<typeof checkFrame>): string {
  return result.verdict === 'rejected' ? result.reason.code : 'valid';
}

describe('checkFrame', () => {
  it('makes a stored event of the sandbox, with every field present', () => {
    expect(check('AssistantTextAppended', { partId: '2.1', text: 'hi' }, 'turn1')).toEqual({
      verdict: 'valid',
      objects: [],
      event: {
        type: 'AssistantTextAppended',
        v: 1,
        at: AT,
        actor: { kind: 'sandbox', id: `${SESSION}-2`, name: `${SESSION}-2` },
        turnId: 'turn1',
        data: { partId: '2.1', offset: 0, text: 'hi' },
      },
    });
  });

  it.each([
    ['a type that is the platform’s', 'BranchPushed', { branch: 'b', sha: 's' }, 'frame.type-not-allowed'],
    ['a type nobody knows', 'Nonsense', {}, 'frame.type-not-allowed'],
    ['a field nobody knows', 'AssistantTextAppended', { partId: '2.1', offset: 0, text: '', more: 1 }, 'event.invalid'],
    ['a value outside its closed set', 'AgentTurnFinished', { turnId: 'turn1', attempt: 1, outcome: 'great' }, 'event.invalid'],
    ['another session’s turn', 'AgentTurnFinished', { turnId: 'turn2', attempt: 1, outcome: 'completed' }, 'frame.turn-unknown'],
    ['another generation’s part', 'ReasoningAppended', { partId: '1.1', offset: 0, text: '' }, 'frame.part-unknown'],
    ['a long string', 'AssistantTextAppended', { partId: '2.1', offset: 0, text: 'é'.repeat(9_000) }, 'frame.string-too-large'],
    ['too much in all', 'ToolCallStarted', toolCall(big()), 'frame.too-large'],
    ['a long list', 'ToolCallStarted', toolCall({ list: Array.from({ length: 501 }, () => 1) }), 'frame.list-too-long'],
    ['deep nesting', 'ToolCallStarted', toolCall(nested(40)), 'frame.too-deep'],
    ['another branch', 'CheckpointCreated', checkpoint({ branch: 'main' }), 'frame.branch-not-own'],
    ['no commit', 'CheckpointCreated', checkpoint({ sha: '--upload-pack=x' }), 'frame.commit-invalid'],
    ['no object', 'CheckpointCreated', checkpoint({ bundle: { sha256: '../../etc', bytes: 1 } }), 'frame.object-invalid'],
  ])('rejects %s', (_what, type, data, code) => {
    expect(codeOf(check(type, data))).toBe(code);
  });

  it('rejects a frame whose two turns differ', () => {
    const source = { ...SOURCE, isTurn: () => true };
    const frame = { n: 1, type: 'AgentTurnFinished', turnId: 'turn1', data: { turnId: 'turn2', attempt: 1, outcome: 'completed' } };
    expect(codeOf(checkFrame(frame, source, AT))).toBe('frame.turn-unknown');
  });

  it('names every object once', () => {
    expect(check('CheckpointCreated', checkpoint({}))).toMatchObject({ verdict: 'valid', objects: [SHA256] });
    const output = { text: '', tail: '', sha256: SHA256, bytes: 1 };
    expect(check('ToolCallProgressed', { toolCallId: 't', output })).toMatchObject({ objects: [SHA256] });
    const input = { content: output, plain: 'x', sha256: 'no object' };
    expect(check('ToolCallStarted', { toolCallId: 't', name: 'write', title: '', input })).toMatchObject({ objects: [SHA256] });
  });

  it('property: never throws, and what passes is bounded', () => {
    const type = fc.oneof(fc.constantFrom<string>(...RUNNER_EVENT_TYPES), fc.string());
    fc.assert(
      fc.property(type, fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<unknown>), (name, data) => {
        const result = check(name, data);
        if (result.verdict === 'valid') expect(JSON.stringify(result.event.data).length).toBeLessThanOrEqual(2 * MAX_FRAME_BYTES);
        else expect(result.reason.message.length).toBeLessThanOrEqual(2_000);
      }),
      { numRuns: 500 },
    );
  });
});

describe('rejectedFrame', () => {
  it('keeps the number and says why', () => {
    const reason = { code: 'frame.too-large', message: 'm' };
    const event = rejectedFrame(7, SOURCE, { reason, bytes: 9, sha256: SHA256, at: AT });
    expect(event).toMatchObject({ type: 'FrameRejected', data: { n: 7, reason, bytes: 9, sha256: SHA256 } });
  });
});

describe('endedByStop', () => {
  const finished = (outcome: string) => {
    const result = check('AgentTurnFinished', { turnId: 'turn1', attempt: 1, outcome });
    if (result.verdict !== 'valid') throw new Error(result.reason.message);
    return result.event;
  };
  const stop = { code: 'platform.stopped', message: 'stopped' };

  it('makes an interrupted turn a failed one when the platform stops', () => {
    expect(endedByStop(finished('cancelled'), stop).data).toEqual({ turnId: 'turn1', attempt: 1, outcome: 'failed', reason: stop });
  });

  it('leaves a turn that completed, and one that a person cancelled', () => {
    expect(endedByStop(finished('completed'), stop).data['outcome']).toBe('completed');
    expect(endedByStop(finished('cancelled'), null).data['outcome']).toBe('cancelled');
  });
});

function checkpoint(change: Record<string, unknown>): Record<string, unknown> {
  const object = { sha256: SHA256, bytes: 1 };
  const stats = { files: 1, insertions: 1, deletions: 0 };
  const commits = { sha: COMMIT, parent: COMMIT, base: COMMIT, branch: sessionBranch(SESSION) };
  return { turnId: 'turn1', attempt: 1, ...commits, stats, patch: object, turnPatch: object, bundle: object, ...change };
}

function toolCall(input: Record<string, unknown>): Record<string, unknown> {
  return { toolCallId: 't', name: 'n', title: '', input };
}

function big(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, 'x'.repeat(10_000)]));
}

function nested(depth: number): Record<string, unknown> {
  return depth === 0 ? {} : { a: nested(depth - 1) };
}
