import { useMemo } from 'react';

import { useSessionState, useSessionStore } from '../../lib/session-context.js';
import { authorsOf, initialsOf } from './people.js';
import { Nothing, Section } from './section.js';

export function PeopleSection() {
  const turnCount = useSessionState((state) => state.turns.length);
  const queue = useSessionState((state) => state.queue);
  const store = useSessionStore();
  // A turn keeps its author: only another turn or prompt can bring another person.
  const authors = useMemo(() => authorsOf({ turns: store.getSnapshot().state.turns.slice(0, turnCount), queue }), [store, turnCount, queue]);
  return (
    <Section title="People">
      {authors.length === 0 ? <Nothing>Nobody sent a prompt yet.</Nothing> : null}
      <ul className="flex flex-col gap-1.5">
        {authors.map(({ name, email }) => (
          <li key={email || name} title={email} className="flex min-w-0 items-center gap-2">
            <span aria-hidden className="grid size-6 shrink-0 place-items-center rounded-full bg-raised text-label font-medium text-muted">
              {initialsOf(name)}
            </span>
            <span className="truncate">{name}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
