import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { Button } from '../../components/button.js';
import { EmptyState, ErrorState } from '../../components/states.js';
import { fileTree, filesOf } from '../../lib/file-tree.js';
import { plural } from '../../lib/format.js';
import { useSessionState } from '../../lib/session-context.js';
import type { ChangesProps, ChangesScope } from './changes-props.js';
import { FilesSkeleton } from './changes-skeleton.js';
import { diffQuery } from './diff-query.js';
import { PatchView } from './patch-view.js';
import { ScopeSelect } from './scope-select.js';
import { Toolbar } from './toolbar.js';
import { useDiffLayout } from './use-diff-layout.js';
import { usePatchVersion } from './use-patch-version.js';
import type { PatchVersion } from './use-patch-version.js';
import { useRoom } from './use-room.js';

export function ChangesView({ sessionId, scope, onScopeChange }: ChangesProps) {
  const patch = usePatchVersion(scope.turn);
  const [element, room] = useRoom();
  const layout = useDiffLayout(room.canSplit);
  const query = useQuery({ ...diffQuery({ sessionId, turnId: scope.turn ?? null, version: patch.version }), enabled: patch.version !== '' });
  // As the tree shows them: the next file is the one below.
  const files = useMemo(() => filesOf(fileTree(query.data ?? [])), [query.data]);
  const showFile = (file: string): void => onScopeChange({ ...turnOf(scope), file });
  return (
    <section ref={element} aria-label="Changes" className="flex min-h-0 min-w-0 flex-1 flex-col">
      <Toolbar files={files} layout={layout}>
        <ScopeSelect turnId={scope.turn} onSelect={(turn) => onScopeChange(turn === undefined ? {} : { turn })} />
      </Toolbar>
      {patch.isStale ? <StaleBar patch={patch} /> : null}
      {patch.version === '' ? <NoChanges isTurn={scope.turn !== undefined} /> : null}
      {patch.version !== '' && query.isPending ? <FilesSkeleton /> : null}
      {query.isError ? <ErrorState title="The changes cannot be shown" error={query.error} onRetry={() => void query.refetch()} /> : null}
      {query.isSuccess && files.length === 0 ? <NoChanges isTurn={scope.turn !== undefined} /> : null}
      {files.length === 0 ? null : <PatchView sessionId={sessionId} files={files} path={scope.file} layout={layout} hasTree={room.hasTree} onSelect={showFile} />}
    </section>
  );
}

function turnOf({ turn }: ChangesScope): ChangesScope {
  return turn === undefined ? {} : { turn };
}

function StaleBar({ patch }: { readonly patch: PatchVersion }) {
  return (
    <output className="flex flex-wrap items-center justify-between gap-2 border-b border-border bg-raised px-3 py-1.5">
      <span>There are newer changes.</span>
      <Button onClick={patch.refresh}>Refresh</Button>
    </output>
  );
}

function NoChanges({ isTurn }: { readonly isTurn: boolean }) {
  const filesTotal = useSessionState((state) => state.filesTotal);
  const isRunning = useSessionState((state) => state.runningTurnId !== null);
  if (isTurn) return <EmptyState title="No changes in this turn">Choose the whole session above to see what other turns changed.</EmptyState>;
  if (isRunning && filesTotal > 0) {
    return <EmptyState title={`${plural(filesTotal, 'file')} changed so far`}>The diff is made when the turn ends, and appears here by itself.</EmptyState>;
  }
  return <EmptyState title="No changes yet">What the agent changes appears here at the end of each turn.</EmptyState>;
}
