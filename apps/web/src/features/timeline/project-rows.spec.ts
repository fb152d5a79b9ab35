import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { SessionState, Turn, TurnItem } from '@bullpen/session-model';
import { initialSessionState, snapshotOf } from '@bullpen/session-model';

import { countItems, projectRows } from './project-rows.js';
import type { ProjectedRows } from './project-rows.js';
import type { Row } from './rows.js';
import { MAX_GROUPED, describeTools } from './tool-groups.js';
import { withHistory } from './with-history.js';

type Draft = TurnItem extends infer Item ? (Item extends TurnItem ? Omit<Item, 'id'> : never) : never;

const text = (words: string): Draft => ({ kind: 'text', partId: '1.1', text: words });
const tool = (name: string, state: 'running' | 'succeeded' | 'failed' = 'succeeded'): Draft => ({
  kind: 'tool',
  toolCallId: 'c',
  name,
  title: 'a.ts',
  input: {},
  state,
  output: null,
  durationMs: 1_000,
});
const notice = (level: 'info' | 'error', words: string): Draft => ({ kind: 'notice', level, code: 'x.y', text: words });

function turnOf(turnId: string, drafts: readonly Draft[], more: Partial<Turn> = {}): Turn {
  const items = drafts.map((draft, index) => ({ ...draft, id: `${turnId}${String(index).padStart(6, '0')}` }) as TurnItem);
  return {
    turnId,
    promptId: 'p',
    prompt: 'Do it',
    author: { name: 'Ada', email: '' },
    attempt: 1,
    state: 'completed',
    conversation: null,
    reason: null,
    startedAt: '2026-03-04T12:00:00Z',
    endedAt: '2026-03-04T12:01:00Z',
    items,
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 },
    checkpoint: null,
    ...more,
  };
}

const RUNNING = { state: 'running', endedAt: null } as const;
const source = (...turns: readonly Turn[]) => ({ turns, rowsOmitted: 0 });
const rowsOf = (...turns: readonly Turn[]): readonly Row[] => projectRows(source(...turns), null).rows;
const kindsOf = (...drafts: readonly Draft[]): string[] => rowsOf(turnOf('1', drafts)).map((row) => row.kind);

const anyDraft: fc.Arbitrary<Draft> = fc.oneof(
  fc.constantFrom('read', 'grep', 'bash', 'edit', 'fetch').chain((name) => fc.constantFrom('succeeded', 'failed', 'running').map((state) => tool(name, state as 'failed'))),
  fc.constantFrom('a', 'one\n\ntwo', '- a\n- b\n\n```js\nx').map(text),
  fc.constant<Draft>({ kind: 'reasoning', partId: '1.2', text: 'hm' }),
  fc.constant(notice('error', 'broke')),
);

/** The items that rows stand for, in order; a text once. */
function itemIdsOf(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    if (row.kind === 'tools') return row.tools.map((call) => call.id);
    if (row.kind === 'tool') return [row.tool.id];
    const [kind, id, block] = row.key.split(' ');
    const isItem = kind === 'reasoning' || kind === 'notice' || (kind === 'text' && block === '0');
    return isItem && id !== undefined ? [id] : [];
  });
}

describe('projectRows', () => {
  it('folds looks and repeated calls, and never a failure, an edit or a command that runs', () => {
    expect(kindsOf(tool('read'), tool('grep'), tool('read'))).toEqual(['prompt', 'tools']);
    expect(kindsOf(tool('read'), tool('read', 'failed'), tool('read'))).toEqual(['prompt', 'tool', 'tool', 'tool']);
    expect(kindsOf(tool('bash'), tool('bash'))).toEqual(['prompt', 'tool', 'tool']);
    expect(kindsOf(tool('bash'), tool('bash'), tool('bash'))).toEqual(['prompt', 'tools']);
    expect(kindsOf(tool('bash'), tool('bash'), tool('bash', 'running'))).toEqual(['prompt', 'tool', 'tool', 'tool']);
    expect(kindsOf(tool('edit'), tool('edit'), tool('edit'))).toEqual(['prompt', 'tool', 'tool', 'tool']);
  });

  it('says what a group did', () => {
    const [, group] = rowsOf(turnOf('1', [tool('read'), tool('grep'), tool('Read')]));
    expect(group?.kind === 'tools' && describeTools(group.tools)).toBe('Read 2 files · Searched 1 · 3.0s');
  });

  it('loses and reorders nothing, however items come', () => {
    fc.assert(
      fc.property(fc.array(anyDraft, { maxLength: 3 * MAX_GROUPED }), (drafts) => {
        const turn = turnOf('1', drafts);
        expect(itemIdsOf(rowsOf(turn))).toEqual(turn.items.map((item) => item.id));
      }),
    );
  });

  it('gives what a fresh projection gives, and keeps finished rows, after every change', () => {
    fc.assert(
      fc.property(fc.array(anyDraft, { minLength: 1, maxLength: 40 }), fc.boolean(), (drafts, ends) => {
        const before = turnOf('1', [text('earlier')]);
        let projected: ProjectedRows | null = null;
        const items = turnOf('2', drafts).items;
        for (let count = 0; count <= items.length; count += 1) {
          const isLast = count === items.length && ends;
          const turn = { ...turnOf('2', [], isLast ? {} : RUNNING), items: items.slice(0, count) };
          const next = projectRows(source(before, turn), projected);
          expect(next.rows).toEqual(projectRows(source(before, turn), null).rows);
          expectSameObjects(projected?.rows ?? [], next.rows);
          projected = next;
        }
      }),
    );
  });

  it('makes only the last block anew while a text streams', () => {
    const grow = (words: string) => source(turnOf('1', [text(words)], RUNNING));
    const first = projectRows(grow('# One\n\nTwo\n\nThr'), null);
    const second = projectRows(grow('# One\n\nTwo\n\nThree'), first);
    expect(second.rows.slice(0, 3)).toEqual(first.rows.slice(0, 3));
    for (const index of [0, 1, 2, 4]) expect(second.rows[index]).toBe(first.rows[index]);
    expect(second.rows[3]).toMatchObject({ kind: 'text', source: 'Three', isOpen: true });
  });

  it('says once why a turn failed', () => {
    const failed = { state: 'failed', reason: { code: 'model.failed', message: 'No answer.' } } as const;
    expect(rowsOf(turnOf('1', [], failed)).map((row) => row.kind)).toEqual(['prompt', 'notice']);
    expect(rowsOf(turnOf('1', [notice('error', 'No answer.\nstderr')], failed)).map((row) => row.kind)).toEqual(['prompt', 'notice']);
  });

  it('shows what runs, and no longer once it ended', () => {
    expect(rowsOf(turnOf('1', [tool('bash', 'running')], RUNNING)).at(-1)).toMatchObject({ kind: 'running', doing: 'a.ts' });
    expect(rowsOf(turnOf('1', [tool('bash')])).at(-1)).toMatchObject({ kind: 'tool' });
  });
});

function expectSameObjects(before: readonly Row[], after: readonly Row[]): void {
  const known = new Map(before.map((row) => [row.key, row]));
  for (const row of after) {
    const old = known.get(row.key);
    if (old !== undefined && JSON.stringify(old) === JSON.stringify(row)) expect(row).toBe(old);
  }
}

describe('withHistory', () => {
  const whole = (): SessionState => ({
    ...initialSessionState('s'),
    turns: Array.from({ length: 40 }, (_, index) => turnOf(String(index + 10), Array.from({ length: 20 }, () => text('x')))),
  });

  it('makes a snapshot whole again, with the live turns as they are', () => {
    const state = whole();
    const live = snapshotOf(state);
    expect(live.rowsOmitted).toBeGreaterThan(0);
    const joined = withHistory(live, state.turns);
    expect(joined).toEqual({ turns: state.turns, rowsOmitted: 0 });
    expect(joined.turns.at(-1)).toBe(live.turns.at(-1));
    expect(countItems(live)).toBe(countItems(state));
  });

  it('gives the same turns each time, also where one was cut', () => {
    const state = whole();
    const live = snapshotOf(state);
    const once = withHistory(live, state.turns);
    const again = withHistory({ ...live }, state.turns);
    for (const [index, turn] of once.turns.entries()) expect(again.turns[index]).toBe(turn);
  });

  it('says what is missing when the live part begins behind what was loaded', () => {
    const state = whole();
    const live = snapshotOf(state);
    const ofTurns = 10 * 21;
    expect(withHistory(live, state.turns.slice(0, 10)).rowsOmitted).toBe(live.rowsOmitted - ofTurns);
  });
});
