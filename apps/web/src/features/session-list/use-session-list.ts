import { useEffect, useSyncExternalStore } from 'react';

import type { SessionFilter } from '@bullpen/sync-protocol';

import type { ListState } from './list-state.js';
import { SessionListStore } from './list-store.js';

/** One for the page: a list that was closed is there at once when it is opened again. */
const store = new SessionListStore();

export interface UsedSessionList extends ListState {
  readonly retry: () => void;
  readonly loadMore: () => Promise<void>;
}

/** Live for as long as it is shown. */
export function useSessionList(filter: SessionFilter): UsedSessionList {
  useEffect(() => store.open(), []);
  useEffect(() => store.setFilter(filter), [filter]);
  const state = useSyncExternalStore(store.subscribe, store.getSnapshot);
  return { ...state, retry: store.retry, loadMore: store.loadMore };
}
