import { LoaderCircle } from 'lucide-react';

import { formatDuration } from '../../lib/format.js';
import { useNow } from '../../lib/use-now.js';
import type { RunningRow } from './rows.js';

const TICK_MS = 1_000;

/** That something runs, what, and for how long. */
export function RunningView({ row: { state, since, doing } }: { readonly row: RunningRow }) {
  const now = useNow(TICK_MS);
  return (
    <div className="flex min-h-9 min-w-0 items-center gap-2 py-1 text-info">
      <LoaderCircle size={14} aria-hidden className="shrink-0 animate-spin" />
      <span className="shrink-0 font-medium">{wordOf(state)}</span>
      {doing === '' ? null : <span className="min-w-0 truncate font-mono text-code text-muted">{doing}</span>}
      <span className="ml-auto shrink-0 pl-2 text-label text-muted">{formatDuration(Math.floor((now - Date.parse(since)) / TICK_MS) * TICK_MS)}</span>
    </div>
  );
}

function wordOf(state: RunningRow['state']): string {
  if (state === 'starting') return 'Waiting for the sandbox';
  return state === 'cancelling' ? 'Stopping' : 'Working';
}
