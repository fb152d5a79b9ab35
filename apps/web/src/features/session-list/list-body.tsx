import { Button } from '../../components/button.js';
import { EmptyState, ErrorState, Skeleton, explain } from '../../components/states.js';
import { useNow } from '../../lib/use-now.js';
import type { ListGroup } from './list-groups.js';
import { isUnread } from './seen.js';
import { SessionRow } from './session-row.js';
import { useSeen } from './use-seen.js';
import type { UsedSessionList } from './use-session-list.js';

const AGES_EVERY_MS = 15_000;
const SKELETON_ROWS = 6;

export interface ListBodyProps {
  readonly list: UsedSessionList;
  readonly groups: readonly ListGroup[];
  readonly isFiltered: boolean;
  readonly onClearFilter: () => void;
  readonly currentId: string | null;
  /** Null: nothing is being selected. */
  readonly selectedIds: ReadonlySet<string> | null;
  readonly onOpen: (sessionId: string) => void;
  readonly onToggle: (sessionId: string, isRange: boolean) => void;
}

/** What was read stays shown while it cannot be read again. */
export function ListBody(props: ListBodyProps) {
  const { list, groups, isFiltered, onClearFilter } = props;
  const { isLoaded, isLoadingMore, nextCursor, problem } = list;
  if (!isLoaded) {
    return problem === null ? <SkeletonRows /> : <ErrorState title="The sessions cannot be shown" error={problem} onRetry={list.retry} />;
  }
  return (
    <div className="min-h-0 flex-1 overflow-y-auto p-2">
      {problem === null ? null : <NotUpToDate problem={problem} onRetry={list.retry} />}
      {groups.length > 0 ? <Groups {...props} /> : <Nothing isFiltered={isFiltered} onClearFilter={onClearFilter} />}
      {nextCursor === null ? null : (
        <Button kind="quiet" className="mt-2 w-full" aria-disabled={isLoadingMore} onClick={() => void list.loadMore()}>
          {isLoadingMore ? 'Loading…' : 'Load more'}
        </Button>
      )}
    </div>
  );
}

function Groups({ groups, currentId, selectedIds, onOpen, onToggle }: ListBodyProps) {
  const now = useNow(AGES_EVERY_MS);
  const seen = useSeen();
  const ids = groups.flatMap(({ rows }) => rows.map(({ id }) => id));
  const tabStop = currentId !== null && ids.includes(currentId) ? currentId : ids[0];
  return groups.map(({ key, name, rows }) => (
    <section key={key} aria-labelledby={`sessions-${key}`} className="mb-3">
      <h2 id={`sessions-${key}`} className="px-2 py-1 text-label font-medium text-muted">
        {name} <span className="text-faint">{rows.length}</span>
      </h2>
      <ul>
        {rows.map((row) => (
          <SessionRow
            key={row.id}
            row={row}
            now={now}
            isCurrent={row.id === currentId}
            isUnread={row.id !== currentId && isUnread(row, seen)}
            isTabStop={row.id === tabStop}
            isSelected={selectedIds === null ? null : selectedIds.has(row.id)}
            onOpen={onOpen}
            onToggle={onToggle}
          />
        ))}
      </ul>
    </section>
  ));
}

function Nothing({ isFiltered, onClearFilter }: Pick<ListBodyProps, 'isFiltered' | 'onClearFilter'>) {
  if (!isFiltered) return <EmptyState title="No sessions yet">Describe a task, and its session stands here.</EmptyState>;
  return (
    <EmptyState title="No session is like that">
      <Button onClick={onClearFilter}>Show all</Button>
    </EmptyState>
  );
}

function NotUpToDate({ problem, onRetry }: { readonly problem: unknown; readonly onRetry: () => void }) {
  return (
    <div role="alert" className="mb-2 flex flex-col items-start gap-2 rounded-sm border border-border p-2 text-label">
      <p>
        <span className="font-medium text-warn">Not up to date.</span> {explain(problem)}
      </p>
      <Button onClick={onRetry}>Try again</Button>
    </div>
  );
}

/** In the places of a heading and of rows. */
function SkeletonRows() {
  return (
    <div className="flex flex-col p-2">
      <Skeleton className="mx-2 my-1 h-4 w-20" label="Loading the sessions" />
      {Array.from({ length: SKELETON_ROWS }, (_, row) => (
        <div key={row} className="flex h-[68px] flex-col justify-center gap-1.5 px-2">
          <Skeleton className="h-4 w-4/5" />
          <Skeleton className="h-3 w-full" />
          <Skeleton className="h-3 w-2/5" />
        </div>
      ))}
    </div>
  );
}
