import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';

import { HomeRoute } from './home-route.js';
import { NotFoundRoute } from './not-found-route.js';
import { RootRoute } from './root-route.js';
import { SessionRoute } from './session-route.js';

const SESSION_TABS = ['chat', 'changes'] as const;
export type SessionTab = (typeof SESSION_TABS)[number];

export interface SessionSearch {
  readonly tab?: SessionTab;
  /** Whose changes: of one turn, or of the session without it. */
  readonly turn?: string;
  readonly file?: string;
}

const rootRoute = createRootRoute({ component: RootRoute, notFoundComponent: NotFoundRoute });

const homeRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: HomeRoute });

export const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/s/$sessionId',
  component: SessionRoute,
  validateSearch: (search: Record<string, unknown>): SessionSearch => ({
    ...(SESSION_TABS.includes(search['tab'] as SessionTab) ? { tab: search['tab'] as SessionTab } : {}),
    ...(typeof search['turn'] === 'string' ? { turn: search['turn'] } : {}),
    ...(typeof search['file'] === 'string' ? { file: search['file'] } : {}),
  }),
});

export const router = createRouter({ routeTree: rootRoute.addChildren([homeRoute, sessionRoute]), defaultPreload: false });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
