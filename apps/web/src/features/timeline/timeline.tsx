import { useMemo } from 'react';

import { EmptyState } from '../../components/states.js';
import { useSessionState } from '../../lib/session-context.js';
import { useHistory } from './get-history.js';
import { countItems } from './project-rows.js';
import { TimelineContext } from './timeline-context.js';
import { TimelineList } from './timeline-list.js';
import { TurnAnnouncer } from './turn-announcer.js';
import { useRows } from './use-rows.js';
import { withHistory } from './with-history.js';

export interface TimelineProps {
  readonly sessionId: string;
  /** Not while another tab of the page covers it: its keys rest. */
  readonly isShown: boolean;
  /** Opens what one turn changed. Should keep its identity. */
  readonly onViewChanges: (turnId: string) => void;
}

/** All that was asked and done in a session, oldest first; follows what comes while its end is in view. */
export function Timeline({ sessionId, isShown, onViewChanges }: TimelineProps) {
  const turns = useSessionState((state) => state.turns);
  const rowsOmitted = useSessionState((state) => state.rowsOmitted);
  const isQueued = useSessionState((state) => state.queue.length > 0);
  const history = useHistory(sessionId);
  const older = history.data?.state.turns;
  const source = useMemo(() => withHistory({ turns, rowsOmitted }, older ?? []), [turns, rowsOmitted, older]);
  const projected = useRows(source);
  const actions = useMemo(() => ({ sessionId, onViewChanges }), [sessionId, onViewChanges]);
  if (projected.rows.length === 0) {
    return (
      <div className="min-h-0 flex-1 overflow-y-auto">
        {isQueued ? (
          <EmptyState title="The prompt is queued">It starts as soon as the sandbox is ready.</EmptyState>
        ) : (
          <EmptyState title="Nothing was asked yet">Write below what should be done.</EmptyState>
        )}
      </div>
    );
  }
  return (
    <TimelineContext value={actions}>
      <TimelineList
        sessionId={sessionId}
        isShown={isShown}
        projected={projected}
        itemCount={countItems(source)}
        earlier={{ isLoading: history.isFetching, error: history.error, onLoad: () => void history.refetch() }}
      />
      <TurnAnnouncer turn={turns.at(-1)} />
    </TimelineContext>
  );
}
