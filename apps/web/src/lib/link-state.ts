import type { ErrorDescription } from '@bullpen/errors';

/** How a live subscription stands, for the banner. `since`, `nextAt`: milliseconds of `Date.now()`. */
export type LinkState =
  | { readonly status: 'connecting' }
  | { readonly status: 'live' }
  | { readonly status: 'retrying'; readonly attempt: number; readonly since: number; readonly nextAt: number }
  | { readonly status: 'failed'; readonly error: ErrorDescription };

export type LinkChange =
  | { readonly type: 'retrying'; readonly attempt: number; readonly delayMs: number }
  | { readonly type: 'reached' }
  | { readonly type: 'failed'; readonly error: ErrorDescription };

/** Pure; `since` stays that of the first failure. */
export function nextLinkState(state: LinkState, change: LinkChange, now: number): LinkState {
  switch (change.type) {
    case 'retrying': {
      const since = state.status === 'retrying' ? state.since : now;
      return { status: 'retrying', attempt: change.attempt, since, nextAt: now + change.delayMs };
    }
    case 'reached':
      return state.status === 'live' ? state : { status: 'live' };
    case 'failed':
      return { status: 'failed', error: change.error };
  }
}
