import { describe, expect, it } from '@jest/globals';

import type { SessionRow } from '@bullpen/sync-protocol';

import { groupRows } from './list-groups.js';
import { EMPTY_LIST, reduceList } from './list-state.js';
import type { ListAction, ListState } from './list-state.js';
import { isUnread, withSeen } from './seen.js';
import type { Seen } from './seen.js';
import { NOTHING_SELECTED, selectedOf, toggleSelected } from './selection.js';

function row(id: string, rev: string, about: Partial<SessionRow> = {}): SessionRow {
  return {
    ...{ id, rev, title: id, status: 'idle', repository: { id: 'r', name: 'sample' }, branch: 'main', agent: 'pi', model: 'm' },
    ...{ createdAt: '2026-11-23T07:00:00.000Z', updatedAt: '2026-11-23T07:00:00.000Z', turns: 1, filesChanged: 0 },
    ...{ additions: 0, deletions: 0, queued: 0, lastOutcome: 'completed', attention: false, why: 'Done' },
    ...about,
  };
}
const after = (...actions: ListAction[]): ListState => actions.reduce(reduceList, EMPTY_LIST);
const revs = ({ rows }: ListState): string[] => [...rows.values()].map(({ id, rev }) => `${id}${rev}`).toSorted();
const watching: ListAction = { type: 'watching', epoch: 'e1' };
const listed = (head: string, ...rows: SessionRow[]): ListAction => ({ type: 'listed', rows, nextCursor: null, head });
const pushed = (...rows: SessionRow[]): ListAction => ({ type: 'changed', change: { rows, removed: [] } });
const removed = (id: string, rev: string): ListAction => ({ type: 'changed', change: { rows: [], removed: [{ id, rev }] } });

describe('the list in the browser', () => {
  it('takes rows forwards only, whoever brings them', () => {
    expect(revs(after(watching, pushed(row('a', '9')), listed('5', row('a', '5'), row('b', '4'))))).toEqual(['a9', 'b4']);
    // As numbers, not as text.
    expect(revs(after(watching, listed('5', row('a', '5')), pushed(row('a', '10')), pushed(row('a', '9'))))).toEqual(['a10']);
  });

  it('is the same when nothing is news', () => {
    const before = after(watching, listed('5', row('a', '5')));
    expect(reduceList(before, pushed(row('a', '5')))).toBe(before);
    expect(reduceList(before, removed('a', '4'))).toBe(before);
  });

  it('does not bring back what left by an answer that was under way, but by a later row', () => {
    const gone = after(watching, listed('5', row('a', '5')), removed('a', '7'));
    expect(revs(gone)).toEqual([]);
    expect(revs(reduceList(gone, listed('6', row('a', '5'))))).toEqual([]);
    expect(revs(reduceList(gone, { type: 'more', rows: [row('a', '5')], nextCursor: null }))).toEqual([]);
    expect(revs(reduceList(gone, pushed(row('a', '8'))))).toEqual(['a8']);
  });

  it('drops what a new reading does not have, but for what came after it', () => {
    const before = after(watching, listed('5', row('a', '4'), row('b', '5')), pushed(row('c', '9')));
    expect(revs(reduceList(before, listed('8', row('b', '7'))))).toEqual(['b7', 'c9']);
  });

  it('forgets what left when another filter is watched, and all of it with another log', () => {
    const gone = after(watching, listed('5', row('a', '5'), row('b', '5')), removed('a', '7'));
    expect(revs(after(watching, removed('a', '7'), watching, listed('8', row('a', '5'))))).toEqual(['a5']);
    expect(revs(reduceList(gone, watching))).toEqual(['b5']);
    expect(revs(reduceList(gone, { type: 'watching', epoch: 'e2' }))).toEqual([]);
  });

  it('keeps what it has when it cannot be read, and says why until it can', () => {
    const failed = after(watching, listed('5', row('a', '5')), { type: 'loading-more' }, { type: 'failed', error: 'away' });
    expect([revs(failed), failed.problem, failed.isLoadingMore]).toEqual([['a5'], 'away', false]);
    expect(reduceList(failed, listed('6', row('a', '5'))).problem).toBeNull();
  });

  it('comes to the same in whatever order changes arrive', () => {
    const changes = [pushed(row('a', '3')), removed('a', '5'), pushed(row('a', '8')), pushed(row('b', '4')), removed('b', '6'), pushed(row('c', '2'))];
    for (let seed = 0; seed < 200; seed++) {
      const shuffled = changes.map((change, n) => ({ change, at: Math.imul(seed + 1, 2_654_435_761 + n * 40_503) >>> 0 })).toSorted((x, y) => x.at - y.at);
      expect({ seed, revs: revs(after(watching, ...shuffled.map(({ change }) => change))) }).toEqual({ seed, revs: ['a8', 'c2'] });
    }
  });
});

describe('the groups of the list', () => {
  const names = (...rows: SessionRow[]) => groupRows(rows).map(({ name, rows: members }) => [name, ...members.map(({ id }) => id)]);

  it('are by what a person has to do, in that order, and none is empty', () => {
    const all = [
      row('done', '1'),
      row('reviewed', '1', { filesChanged: 2 }),
      row('queued', '1', { status: 'queued', queued: 1 }),
      row('runs', '1', { status: 'running', createdAt: '2026-11-24T07:00:00.000Z' }),
      row('failed', '1', { status: 'failed', attention: true, filesChanged: 2 }),
      row('stuck', '1', { status: 'queued', attention: true }),
      row('old', '1', { status: 'archived', filesChanged: 1 }),
    ];
    expect(names(...all)).toEqual([
      ['Needs you', 'stuck', 'failed'],
      ['Running', 'runs', 'queued'],
      ['Ready for review', 'reviewed'],
      ['Earlier', 'done'],
      ['Archived', 'old'],
    ]);
    expect(names()).toEqual([]);
  });

  it('have the latest first, but what runs keeps its place', () => {
    const early = { createdAt: '2026-11-23T01:00:00.000Z', updatedAt: '2026-11-23T09:00:00.000Z' };
    const late = { createdAt: '2026-11-23T02:00:00.000Z', updatedAt: '2026-11-23T08:00:00.000Z' };
    expect(names(row('a', '1', late), row('b', '1', early))).toEqual([['Earlier', 'b', 'a']]);
    expect(names(row('a', '1', { ...early, status: 'running' }), row('b', '1', { ...late, status: 'running' }))).toEqual([['Running', 'b', 'a']]);
  });
});

describe('what is ticked', () => {
  const order = ['a', 'b', 'c', 'd'];
  const tick = (...steps: [id: string, isRange?: boolean][]) =>
    steps.reduce((selection, [id, isRange = false]) => toggleSelected(selection, id, { order, isRange }), NOTHING_SELECTED);

  it('is one by one, or a range either way', () => {
    expect(selectedOf(tick(['b'], ['b']), order)).toEqual([]);
    expect(selectedOf(tick(['b'], ['d', true]), order)).toEqual(['b', 'c', 'd']);
    expect(selectedOf(tick(['d'], ['b', true], ['c']), order)).toEqual(['b', 'd']);
    expect(selectedOf(tick(['a'], ['d', true], ['b'], ['c', true]), order)).toEqual(['a', 'd']);
  });

  it('leaves out what is not shown any more', () => {
    expect(selectedOf(tick(['a'], ['b']), ['b', 'c'])).toEqual(['b']);
    expect(selectedOf(toggleSelected({ ids: new Set(['x']), anchor: 'x' }, 'b', { order, isRange: true }), order)).toEqual(['b']);
  });
});

describe('what was seen', () => {
  const seen: Seen = { since: '2026-11-23T08:00:00.000Z', revs: { a: '256' } };

  it('is what was there when it was looked at, and all that is older than this browser', () => {
    expect(isUnread(row('a', '256'), seen)).toBe(false);
    expect(isUnread(row('a', '1024'), seen)).toBe(true);
    expect(isUnread(row('b', '1', { updatedAt: '2026-11-23T07:59:00.000Z' }), seen)).toBe(false);
    expect(isUnread(row('b', '1', { updatedAt: '2026-11-23T08:01:00.000Z' }), seen)).toBe(true);
    expect(isUnread(row('a', '1024', { status: 'running' }), seen)).toBe(false);
  });

  it('never goes backwards, and keeps the last few hundred', () => {
    expect(withSeen(seen, 'a', '200')).toBe(seen);
    expect(withSeen(seen, 'a', '512').revs).toEqual({ a: '512' });
    let many = seen;
    for (let n = 0; n < 600; n++) many = withSeen(many, `s${n}`, '1');
    expect(Object.keys(many.revs)).toHaveLength(500);
    expect([many.revs['a'], many.revs['s599']]).toEqual([undefined, '1']);
  });
});
