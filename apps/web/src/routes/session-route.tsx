import { useNavigate, useParams } from '@tanstack/react-router';

import { ErrorState, Skeleton } from '../components/states.js';
import { ConnectionBanner } from '../features/connection/connection-banner.js';
import { SessionHeader } from '../features/session-header/session-header.js';
import { usePane } from '../lib/pane.js';
import { SessionProvider, useSessionState, useSessionView } from '../lib/session-context.js';
import type { Shortcut } from '../lib/shortcuts.js';
import { useShortcut } from '../lib/use-shortcut.js';
import { NotFoundRoute } from './not-found-route.js';
import { LIST_SHORTCUT, useListPane } from './list-pane.js';

const DETAILS_SHORTCUT: Shortcut = { key: '\\', mod: true, scope: 'Session', label: 'Show or hide the details' };
const GONE = ['session.not-found', 'session.deleted'];

export function SessionRoute() {
  const { sessionId } = useParams({ from: '/s/$sessionId' });
  return (
    <SessionProvider key={sessionId} sessionId={sessionId}>
      <SessionPage sessionId={sessionId} />
    </SessionProvider>
  );
}

function SessionPage({ sessionId }: { readonly sessionId: string }) {
  const link = useSessionView((view) => view.link);
  const isLoaded = useSessionView((view) => view.isLoaded);
  const isDeleted = useSessionState((state) => state.deleted);
  if (isDeleted || (link.status === 'failed' && GONE.includes(link.error.code))) return <NotFoundRoute />;
  if (!isLoaded) return link.status === 'failed' ? <ErrorState title="The session cannot be shown" error={link.error} /> : <SessionSkeleton />;
  return <LoadedSession sessionId={sessionId} />;
}

function LoadedSession({ sessionId }: { readonly sessionId: string }) {
  const list = useListPane();
  const details = usePane('details');
  const navigate = useNavigate();
  useShortcut(DETAILS_SHORTCUT, details.toggle);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <SessionHeader
        sessionId={sessionId}
        tabs={null}
        list={{ isOpen: list.isOpen, shortcut: LIST_SHORTCUT, onToggle: list.toggle }}
        details={{ isOpen: details.isOpen, shortcut: DETAILS_SHORTCUT, onToggle: details.toggle }}
        onDeleted={() => void navigate({ to: '/' })}
      />
      <ConnectionBanner />
    </div>
  );
}

/** In the places where the page will stand. */
function SessionSkeleton() {
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-12 items-center gap-3 border-b border-border bg-surface px-3">
        <Skeleton className="h-5 w-64 max-w-[60%]" label="Loading the session" />
      </div>
      <div className="mx-auto flex w-full max-w-[760px] flex-1 flex-col gap-4 p-4">
        <Skeleton className="h-16 w-full" />
        <Skeleton className="h-5 w-3/4" />
        <Skeleton className="h-5 w-1/2" />
        <Skeleton className="h-24 w-full" />
      </div>
    </div>
  );
}
