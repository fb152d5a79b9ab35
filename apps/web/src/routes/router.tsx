import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';

import { HomeRoute } from './home-route.js';
import { NotFoundRoute } from './not-found-route.js';
import { PageFrame } from './page-frame.js';
import { RootRoute } from './root-route.js';
import { RouteError } from './route-error.js';
import { SESSION_TABS } from './session-search.js';
import type { SessionSearch, SessionTab } from './session-search.js';
import { SessionSkeleton } from './session-skeleton.js';

const rootRoute = createRootRoute({ component: RootRoute, notFoundComponent: NotFoundRoute });

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  component: () => (
    <PageFrame>
      <HomeRoute />
    </PageFrame>
  ),
});

const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/s/$sessionId',
  component: lazyRouteComponent(() => import('./session-route.js'), 'SessionRoute'),
  pendingComponent: SessionSkeleton,
  validateSearch: (search: Record<string, unknown>): SessionSearch => ({
    ...(SESSION_TABS.includes(search['tab'] as SessionTab) ? { tab: search['tab'] as SessionTab } : {}),
    ...(typeof search['turn'] === 'string' ? { turn: search['turn'] } : {}),
    ...(typeof search['file'] === 'string' ? { file: search['file'] } : {}),
  }),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([homeRoute, sessionRoute]),
  defaultPreload: false,
  defaultErrorComponent: RouteError,
  defaultPendingMs: 0,
  defaultPendingMinMs: 0,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
