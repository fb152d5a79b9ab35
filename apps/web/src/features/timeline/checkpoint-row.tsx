import { GitCommitHorizontal } from 'lucide-react';

import { Button } from '../../components/button.js';
import { formatCost, plural } from '../../lib/format.js';
import type { CheckpointRow } from './rows.js';
import { useTimeline } from './timeline-context.js';

const SHORT_SHA = 7;

/** Where a turn left the files; counted from where the session started. */
export function CheckpointView({ row: { turnId, checkpoint, usage } }: { readonly row: CheckpointRow }) {
  const { onViewChanges } = useTimeline();
  const { files, insertions, deletions } = checkpoint.stats;
  return (
    <div className="mt-2 flex min-h-10 flex-wrap items-center gap-x-2 gap-y-0.5 border-t border-border py-1 text-label text-muted">
      <span className="flex items-center gap-2 font-medium text-text">
        <GitCommitHorizontal size={14} aria-hidden />
        Checkpoint
      </span>
      <span>{plural(files, 'file')} in all</span>
      {insertions > 0 ? <span className="text-ok">+{insertions}</span> : null}
      {deletions > 0 ? <span className="text-error">−{deletions}</span> : null}
      <code className="text-label">{checkpoint.sha.slice(0, SHORT_SHA)}</code>
      {usage.costUsd > 0 ? <span>{formatCost(usage.costUsd)}</span> : null}
      <Button kind="quiet" className="-mr-3 ml-auto text-label" onClick={() => onViewChanges(turnId)}>
        View changes
      </Button>
    </div>
  );
}
