import { Columns2, WrapText } from 'lucide-react';
import type { ReactNode } from 'react';

import { IconButton } from '../../components/icon-button.js';
import { LineCounts } from '../../components/line-counts.js';
import { plural } from '../../lib/format.js';
import { describeShortcut } from '../../lib/shortcuts.js';
import type { PatchFile } from './patch-files.js';
import { SPLIT_SHORTCUT, WRAP_SHORTCUT } from './use-diff-layout.js';
import type { DiffLayout } from './use-diff-layout.js';

interface ToolbarProps {
  readonly files: readonly PatchFile[];
  readonly layout: DiffLayout;
  /** Whose changes. */
  readonly children: ReactNode;
}

export function Toolbar({ files, layout, children }: ToolbarProps) {
  return (
    <div className="flex min-w-0 items-center gap-3 border-b border-border px-3 py-1.5">
      {children}
      {files.length === 0 ? null : <Totals files={files} />}
      <div className="ml-auto flex items-center gap-1">
        {layout.canSplit ? (
          <IconButton label="Split" keys={describeShortcut(SPLIT_SHORTCUT)} aria-pressed={layout.layout === 'split'} onClick={layout.toggleSplit}>
            <Columns2 size={16} aria-hidden />
          </IconButton>
        ) : null}
        <IconButton label="Wrap long lines" keys={describeShortcut(WRAP_SHORTCUT)} aria-pressed={layout.isWrapped} onClick={layout.toggleWrap}>
          <WrapText size={16} aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}

function Totals({ files }: { readonly files: readonly PatchFile[] }) {
  const sum = (field: 'insertions' | 'deletions'): number => files.reduce((all, file) => all + file[field], 0);
  return (
    <span className="flex min-w-0 items-center gap-2 text-label whitespace-nowrap text-muted">
      <span className="max-md:sr-only">{plural(files.length, 'file')}</span>
      <LineCounts insertions={sum('insertions')} deletions={sum('deletions')} />
    </span>
  );
}
