import { compareEventIds } from '@bullpen/session-model';
import type { SessionRow, SessionsChange } from '@bullpen/sync-protocol';

/** The list as this browser has it. Rows of one session replace each other by `rev`, never backwards. */
export interface ListState {
  readonly rows: ReadonlyMap<string, SessionRow>;
  /** Sessions that left the list, and the event that said so: an answer that was under way does not bring them back. */
  readonly gone: ReadonlyMap<string, string>;
  readonly epoch: string;
  /** Null: everything is here. */
  readonly nextCursor: string | null;
  readonly isLoaded: boolean;
  readonly isLoadingMore: boolean;
  /** Why it may not be up to date; null when it is. */
  readonly problem: unknown;
}

export type ListAction =
  | { readonly type: 'watching'; readonly epoch: string }
  /** What a list holds that includes everything up to `head`. */
  | { readonly type: 'listed'; readonly rows: readonly SessionRow[]; readonly nextCursor: string | null; readonly head: string }
  | { readonly type: 'loading-more' }
  | { readonly type: 'more'; readonly rows: readonly SessionRow[]; readonly nextCursor: string | null }
  | { readonly type: 'changed'; readonly change: SessionsChange }
  | { readonly type: 'failed'; readonly error: unknown };

export const EMPTY_LIST: ListState = {
  rows: new Map(),
  gone: new Map(),
  epoch: '',
  nextCursor: null,
  isLoaded: false,
  isLoadingMore: false,
  problem: null,
};

/** Pure; the same state when nothing changed. */
export function reduceList(state: ListState, action: ListAction): ListState {
  switch (action.type) {
    case 'watching':
      return { ...state, epoch: action.epoch, gone: new Map(), rows: state.epoch === action.epoch ? state.rows : new Map() };
    case 'listed': {
      const { nextCursor, head } = action;
      const listed = new Set(action.rows.map(({ id }) => id));
      const kept = [...state.rows].filter(([id, { rev }]) => listed.has(id) || compareEventIds(rev, head) > 0);
      const rows = withRows(new Map(kept), state.gone, action.rows);
      return { ...state, rows, nextCursor, isLoaded: true, isLoadingMore: false, problem: null };
    }
    case 'loading-more':
      return { ...state, isLoadingMore: true, problem: null };
    case 'more':
      return { ...state, rows: withRows(state.rows, state.gone, action.rows), nextCursor: action.nextCursor, isLoadingMore: false };
    case 'changed':
      return withChange(state, action.change);
    case 'failed':
      return { ...state, isLoadingMore: false, problem: action.error };
  }
}

function withChange(state: ListState, { rows: changed, removed }: SessionsChange): ListState {
  const leaving = removed.filter(({ id, rev }) => isLater(rev, state.rows.get(id)?.rev));
  const gone = new Map([...state.gone, ...leaving.map(({ id, rev }) => [id, rev] as const)]);
  const left = new Set(leaving.map(({ id }) => id));
  const staying = leaving.some(({ id }) => state.rows.has(id)) ? new Map([...state.rows].filter(([id]) => !left.has(id))) : state.rows;
  const rows = withRows(staying, gone, changed);
  return rows === state.rows && leaving.length === 0 ? state : { ...state, rows, gone };
}

function withRows(
  before: ReadonlyMap<string, SessionRow>,
  gone: ReadonlyMap<string, string>,
  changed: readonly SessionRow[],
): ReadonlyMap<string, SessionRow> {
  const later = changed.filter(({ id, rev }) => isLater(rev, before.get(id)?.rev) && isLater(rev, gone.get(id)));
  return later.length === 0 ? before : new Map([...before, ...later.map((row) => [row.id, row] as const)]);
}

function isLater(rev: string, than: string | undefined): boolean {
  return than === undefined || compareEventIds(rev, than) > 0;
}
