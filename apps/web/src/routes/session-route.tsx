import { useNavigate, useParams } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';

import { ErrorState } from '../components/states.js';
import { ConnectionBanner } from '../features/connection/connection-banner.js';
import { signOut } from '../lib/api.js';
import type { LinkState } from '../lib/link-state.js';
import { SessionProvider, useSessionState, useSessionView } from '../lib/session-context.js';
import { NothingHere } from './not-found-route.js';
import { PageFrame } from './page-frame.js';
import { SessionPage } from './session-page.js';
import { SessionSkeleton } from './session-skeleton.js';

/** Follows the session in the address; each round begins anew. */
export function SessionRoute() {
  const { sessionId } = useParams({ from: '/s/$sessionId' });
  const [round, setRound] = useState(0);
  const onRestart = useCallback(() => setRound((last) => last + 1), []);
  return (
    <SessionProvider key={`${sessionId} ${round}`} sessionId={sessionId}>
      <SessionOrState sessionId={sessionId} onRestart={onRestart} />
    </SessionProvider>
  );
}

function SessionOrState({ sessionId, onRestart }: { readonly sessionId: string; readonly onRestart: () => void }) {
  const navigate = useNavigate();
  const link = useSessionView((view) => view.link);
  const isLoaded = useSessionView((view) => view.isLoaded);
  const isDeleted = useSessionState((state) => state.deleted);
  const failure = failureOf(link);
  useSignOut(failure === 'signedOut');
  if (isDeleted || failure === 'deleted') {
    return <NothingHere title="This session was deleted" text="Its conversation, changes and files are erased. Branches that were pushed are still in their repository." />;
  }
  if (failure === 'notFound') return <NothingHere title="There is no such session" text="It was deleted, or the link is not whole. Check the address." />;
  if (isLoaded) return <SessionPage sessionId={sessionId} onRestart={onRestart} onDeleted={() => void navigate({ to: '/' })} />;
  if (link.status !== 'failed') return <SessionSkeleton banner={<ConnectionBanner onRestart={onRestart} />} />;
  return (
    <PageFrame>
      <ErrorState title="The session cannot be shown" error={link.error} onRetry={onRestart} />
    </PageFrame>
  );
}

type Failure = 'notFound' | 'deleted' | 'signedOut' | 'other' | null;
const FAILURES: Readonly<Record<string, Failure>> = { 'session.not-found': 'notFound', 'session.deleted': 'deleted', 'auth.invalid': 'signedOut', 'auth.missing': 'signedOut' };

function failureOf(link: LinkState): Failure {
  return link.status === 'failed' ? (FAILURES[link.error.code] ?? 'other') : null;
}

/** The socket says it too when the key is not valid any more. */
function useSignOut(isSignedOut: boolean): void {
  useEffect(() => {
    if (isSignedOut) signOut();
  }, [isSignedOut]);
}
