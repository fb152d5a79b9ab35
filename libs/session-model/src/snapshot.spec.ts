import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { initialSessionState, SNAPSHOT_ROWS, snapshotOf } from './index.js';
import type { SessionState, Turn, TurnItem } from './index.js';

const note = (id: string): TurnItem => ({ kind: 'notice', id, level: 'info', code: 'c', text: id });
const tool = (id: string): TurnItem => ({
  kind: 'tool',
  id,
  toolCallId: id,
  name: 'bash',
  title: '',
  input: {},
  state: 'running',
  output: null,
  durationMs: null,
});

function turn(n: number, items: readonly TurnItem[]): Turn {
  const { usage, checkpoint } = initialSessionState('');
  return {
    turnId: `t${n}`,
    promptId: `p${n}`,
    prompt: '',
    author: { name: '', email: '' },
    attempt: 1,
    state: 'completed',
    conversation: null,
    reason: null,
    startedAt: '',
    endedAt: '',
    items,
    usage,
    checkpoint,
  };
}

function session(lengths: readonly number[], open: boolean): SessionState {
  const turns = lengths.map((length, n) =>
    turn(
      n,
      Array.from({ length }, (_, i) => note(`${n}.${i}`)),
    ),
  );
  return { ...initialSessionState('s'), turns, runningTurnId: open ? (turns.at(-1)?.turnId ?? null) : null };
}

const rowsOf = (state: SessionState) => state.turns.flatMap(({ turnId, items }) => [turnId, ...items.map((item) => item.id)]);

describe('snapshotOf', () => {
  it('is the state itself while the session is short', () => {
    const state = session([50, 100], false);
    expect(snapshotOf(state)).toBe(state);
  });

  it('keeps the newest rows, in order, and counts what it leaves out', () => {
    const state = session([150, 150, 100], false);
    const cut = snapshotOf(state);
    expect(cut.turns.map(({ turnId, items }) => [turnId, items.length])).toEqual([
      ['t1', 99],
      ['t2', 100],
    ]);
    expect(cut.turns[0]?.items[0]?.id).toBe('1.51');
    expect(cut.turns[1]).toBe(state.turns[2]);
    expect(cut.rowsOmitted).toBe(150 + 1 + 51);
  });

  it('keeps what is open, however far back', () => {
    const items: TurnItem[] = [tool('early'), { kind: 'text', id: 'part', partId: '1.1', text: 'so far' }];
    for (let i = 0; i < 300; i++) items.push(note(`n${i}`));
    const state = { ...initialSessionState('s'), turns: [turn(1, items)], runningTurnId: 't1' };
    const kept = snapshotOf(state).turns[0]?.items.map((item) => item.id) ?? [];
    expect(kept.slice(0, 3)).toEqual(['early', 'part', 'n100']);
    expect(kept).toHaveLength(SNAPSHOT_ROWS + 2);
    expect(snapshotOf({ ...state, runningTurnId: null }).turns[0]?.items[0]?.id).toBe('n100');
  });

  it('omits only older rows, never too many, and again nothing', () => {
    const lengths = fc.array(fc.nat(260), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(lengths, fc.boolean(), (counts, open) => {
        const state = session(counts, open);
        const cut = snapshotOf(state);
        const all = rowsOf(state);
        const kept = rowsOf(cut);
        expect(all.filter((row) => kept.includes(row))).toEqual(kept);
        expect(cut.rowsOmitted).toBe(all.length - kept.length);
        const newest = all.slice(-SNAPSHOT_ROWS);
        expect(newest.filter((row) => !kept.includes(row))).toEqual([]);
        expect(rowsOf(snapshotOf(cut))).toEqual(kept);
      }),
    );
  });
});
