import { evolveSession, initialSessionState } from '@bullpen/session-model';
import type { SessionState } from '@bullpen/session-model';
import type { Followed } from '@bullpen/sync-protocol';

import { nextLinkState } from './link-state.js';
import type { LinkState } from './link-state.js';

/** What a page knows of one session: the fold, whether it is whole, and how the line to it stands. */
export interface SessionView {
  readonly state: SessionState;
  /** False until everything up to the head at the time of subscribing has come. */
  readonly isLoaded: boolean;
  readonly link: LinkState;
}

export function initialSessionView(sessionId: string): SessionView {
  return { state: initialSessionState(sessionId), isLoaded: false, link: { status: 'connecting' } };
}

/** Everything that arrived since the last frame, in order. Pure; what did not change keeps its identity. */
export function reduceSessionView(view: SessionView, items: readonly Followed[], now: number): SessionView {
  return items.reduce((current, item) => applyItem(current, item, now), view);
}

function applyItem(view: SessionView, item: Followed, now: number): SessionView {
  switch (item.type) {
    case 'event':
      return { ...view, state: evolveSession(view.state, item.event) };
    case 'snapshot':
      return { ...view, state: item.state };
    case 'dropped':
      return { ...initialSessionView(view.state.sessionId), link: view.link };
    case 'caughtUp':
      return { ...view, isLoaded: true, link: nextLinkState(view.link, { type: 'reached' }, now) };
    case 'recovered':
      return { ...view, link: nextLinkState(view.link, { type: 'reached' }, now) };
    case 'retrying':
    case 'failed':
      return { ...view, link: nextLinkState(view.link, item, now) };
  }
}
