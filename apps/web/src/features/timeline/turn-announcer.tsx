import { useEffect, useRef, useState } from 'react';

import type { Turn } from '@bullpen/session-model';

import { headingOf } from './prompt-row.js';

/** Says, once and politely, that a turn ended; what streams is never read out. */
export function TurnAnnouncer({ turn }: { readonly turn: Turn | undefined }) {
  const [message, setMessage] = useState('');
  const running = useRef<string | null>(null);
  useEffect(() => {
    if (turn === undefined) return;
    if (turn.endedAt === null) running.current = turn.turnId;
    else if (running.current === turn.turnId) {
      running.current = null;
      setMessage(announcementOf(turn));
    }
  }, [turn]);
  return (
    <output aria-live="polite" className="sr-only">
      {message}
    </output>
  );
}

function announcementOf({ state, prompt, reason }: Turn): string {
  const name = `“${headingOf(prompt)}”`;
  if (state === 'failed') return `${name} failed. ${reason?.message ?? ''}`;
  return state === 'cancelled' ? `${name} was stopped.` : `${name} is done.`;
}
