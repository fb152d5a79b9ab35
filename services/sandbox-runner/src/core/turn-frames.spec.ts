import type { AgentEvent } from '@bullpen/agent-port';
import { describe, expect, it } from '@jest/globals';
import { parseEventData } from '@bullpen/contracts';
import fc from 'fast-check';

import { Redactor } from './redactor.js';
import { TextCoalescer } from './text-coalescer.js';
import { PROGRESS_INTERVAL_MS, TurnFrames } from './turn-frames.js';
import type { TurnFrame } from './turn-frames.js';

const SECRET = 'sk-ant-0123456789';

function turn() {
  return new TurnFrames({
    redactor: new Redactor([SECRET]),
    coalescer: new TextCoalescer(1),
    sha256: (text) => `sha:${text.length}`,
  });
}

const started = (toolCallId: string): AgentEvent => ({
  kind: 'toolStarted',
  toolCallId,
  name: 'bash',
  input: { command: 'ls' },
  title: 'ls',
});
const types = (frames: TurnFrame[]) => frames.map(({ event }) => event.type);
const textOf = (frames: TurnFrame[]) =>
  frames.map(({ event }) => (event.type === 'AssistantTextAppended' ? event.data.text : '')).join('');

describe('TurnFrames', () => {
  it('has all text out before the tool call that follows it', () => {
    const frames = turn();
    const out = [
      ...frames.read({ kind: 'text', key: '1', delta: 'one' }, 0),
      ...frames.read({ kind: 'text', key: '1', delta: ' two sk-ant' }, 1),
      ...frames.read(started('t'), 2),
    ];
    expect(types(out)).toEqual(['AssistantTextAppended', 'AssistantTextAppended', 'ToolCallStarted']);
    expect(textOf(out)).toBe('one two sk-ant');
  });

  it('tells what is not the model\'s after the text before it, without secrets', () => {
    const frames = turn();
    const out = [
      ...frames.read({ kind: 'text', key: '1', delta: 'one' }, 0),
      ...frames.read({ kind: 'notice', level: 'warning', text: 'Retry 1 of 3 in 2 s.' }, 1),
    ];
    expect(types(out)).toEqual(['AssistantTextAppended', 'AgentNoticed']);
    expect(out[1]?.event.data).toEqual({ text: 'Retry 1 of 3 in 2 s.', level: 'warning' });
  });

  it('tells how long a tool took, and cancels what never completed', () => {
    const frames = turn();
    frames.read(started('a'), 100);
    frames.read(started('b'), 100);
    const [done] = frames.read({ kind: 'toolCompleted', toolCallId: 'a', failed: false, output: 'x' }, 350);
    expect(done?.event.data).toMatchObject({ toolCallId: 'a', outcome: 'succeeded', durationMs: 250 });
    expect(frames.end(400).map(({ event }) => event.data)).toEqual([
      expect.objectContaining({ toolCallId: 'b', outcome: 'cancelled' }),
    ]);
  });

  it('keeps what a tool had printed when it is cancelled', () => {
    const frames = turn();
    frames.read(started('a'), 0);
    frames.read(started('b'), 0);
    frames.read({ kind: 'toolProgressed', toolCallId: 'b', output: 'half' }, 1);
    frames.cancel();
    const [stopped] = frames.read({ kind: 'toolCompleted', toolCallId: 'a', failed: true, output: 'aborted' }, 2);
    expect(stopped?.event.data).toMatchObject({ outcome: 'cancelled' });
    expect(frames.end(3).map(({ event }) => event.data)).toMatchObject([
      { toolCallId: 'b', outcome: 'cancelled', output: { text: 'half' } },
    ]);
  });

  it('shows progress at once, then once per interval, the newest', () => {
    const frames = turn();
    frames.read(started('t'), 0);
    const progress = (output: string, at: number) => frames.read({ kind: 'toolProgressed', toolCallId: 't', output }, at);
    expect(types(progress('a', 10))).toEqual(['ToolCallProgressed']);
    expect(progress('ab', 20)).toEqual([]);
    expect(progress('abc', 30)).toEqual([]);
    expect(frames.dueAtMs).toBe(10 + PROGRESS_INTERVAL_MS);
    expect(frames.takeDue(500)).toEqual([]);
    expect(frames.takeDue(1_010)[0]?.event.data).toMatchObject({ output: { text: 'abc' } });
    expect(frames.dueAtMs).toBeNull();
  });

  it('cuts long output to an object that holds the redacted whole', () => {
    const frames = turn();
    const output = `${'x'.repeat(20_000)}${SECRET}`;
    const [frame] = frames.read({ kind: 'toolCompleted', toolCallId: 't', failed: true, output }, 0);
    expect(frame?.objects).toEqual([`${'x'.repeat(20_000)}[secret]`]);
    expect(frame?.event.data).toMatchObject({ outcome: 'failed', output: { sha256: 'sha:20008' } });
  });

  it('never lets the secret out, and makes valid events only, whatever the agent says', () => {
    const word = fc.oneof(
      fc.constant(SECRET),
      fc.nat(SECRET.length).map((n) => SECRET.slice(0, n)),
      fc.string({ maxLength: 6 }),
    );
    const event: fc.Arbitrary<AgentEvent> = fc.oneof(
      fc.record({ kind: fc.constant('text' as const), key: fc.constantFrom('1', '2'), delta: word }),
      fc.record({ kind: fc.constant('reasoning' as const), key: fc.constant('1'), delta: word }),
      fc.record({ kind: fc.constant('notice' as const), level: fc.constant('info' as const), text: word }),
      fc.record({
        kind: fc.constant('toolStarted' as const),
        toolCallId: fc.constantFrom('a', 'b'),
        name: word,
        input: fc.dictionary(word, word),
        title: word,
      }),
      fc.record({ kind: fc.constant('toolProgressed' as const), toolCallId: fc.constantFrom('a', 'b'), output: word }),
      fc.record({
        kind: fc.constant('toolCompleted' as const),
        toolCallId: fc.constantFrom('a', 'b'),
        failed: fc.boolean(),
        output: word,
      }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const frames = turn();
        const out = [...events.flatMap((one, i) => frames.read(one, i * 20)), ...frames.end(10_000)];
        for (const {
          event: { type, data },
        } of out) {
          parseEventData(type, data);
          expect(JSON.stringify(data)).not.toContain(SECRET);
        }
        const parts = new Map<string, string>();
        for (const { event: one } of out) {
          if (one.type === 'AssistantTextAppended')
            parts.set(one.data.partId, (parts.get(one.data.partId) ?? '') + one.data.text);
        }
        const sayings = [...parts.values()];
        for (const text of sayings) expect(text).not.toContain(SECRET);
      }),
    );
  });
});
