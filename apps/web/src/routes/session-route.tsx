import { useParams } from '@tanstack/react-router';

import { SessionProvider, useSessionState } from '../lib/session-context.js';

export function SessionRoute() {
  const { sessionId } = useParams({ from: '/s/$sessionId' });
  return (
    <SessionProvider key={sessionId} sessionId={sessionId}>
      <SessionPage />
    </SessionProvider>
  );
}

function SessionPage() {
  const title = useSessionState((state) => state.title);
  return <h1 className="truncate p-4 text-lead font-semibold">{title}</h1>;
}
