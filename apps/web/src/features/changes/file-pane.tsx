import { ChevronDown, ChevronUp, Square, SquareCheck } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Virtualizer } from '@pierre/diffs/react';

import { Button } from '../../components/button.js';
import { ChangeMark } from '../../components/change-mark.js';
import { CodeDiff } from '../../components/code-diff.js';
import { IconButton } from '../../components/icon-button.js';
import { LineCounts } from '../../components/line-counts.js';
import { EmptyState } from '../../components/states.js';
import { plural } from '../../lib/format.js';
import { isLarge, parseDiff } from './patch-files.js';
import type { PatchFile } from './patch-files.js';
import type { DiffLayout } from './use-diff-layout.js';

interface FilePaneProps {
  readonly file: PatchFile;
  readonly layout: DiffLayout;
  readonly isViewed: boolean;
  readonly onToggleViewed: () => void;
  /** Absent at the first file. */
  readonly onPrevious?: () => void;
  /** Absent at the last file. */
  readonly onNext?: () => void;
}

export function FilePane(props: FilePaneProps) {
  return (
    <article aria-label={props.file.path} className="flex min-h-0 min-w-0 flex-1 flex-col bg-surface">
      <FileHeader {...props} />
      <FileBody key={props.file.contentId} file={props.file} layout={props.layout} />
    </article>
  );
}

function FileHeader({ file, isViewed, onToggleViewed, onPrevious, onNext }: FilePaneProps) {
  const Box = isViewed ? SquareCheck : Square;
  return (
    <header className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-border px-3 py-1.5">
      <ChangeMark change={file.change} />
      <h2 className="min-w-0 flex-1 basis-40 truncate font-mono text-code" title={titleOf(file)}>
        {titleOf(file)}
      </h2>
      <LineCounts insertions={file.insertions} deletions={file.deletions} isBinary={file.binary} />
      <div className="flex items-center gap-1">
        <Button kind="quiet" className="px-2" aria-pressed={isViewed} onClick={onToggleViewed}>
          <Box size={14} aria-hidden />
          Viewed
        </Button>
        <IconButton label="Previous file" keys="p" disabled={onPrevious === undefined} onClick={onPrevious}>
          <ChevronUp size={16} aria-hidden />
        </IconButton>
        <IconButton label="Next file" keys="n" disabled={onNext === undefined} onClick={onNext}>
          <ChevronDown size={16} aria-hidden />
        </IconButton>
      </div>
    </header>
  );
}

function titleOf({ path, previousPath }: PatchFile): string {
  return previousPath === null ? path : `${previousPath} → ${path}`;
}

function FileBody({ file, layout }: Pick<FilePaneProps, 'file' | 'layout'>) {
  const [isAskedFor, setAskedFor] = useState(false);
  if (file.binary) return <EmptyState title="Binary file">It changed, but it holds no text that could be compared.</EmptyState>;
  if (file.lines === 0) return <EmptyState title="No lines changed">{whyNoLines(file)}</EmptyState>;
  if (!isLarge(file) || isAskedFor) return <Diff file={file} layout={layout} />;
  return (
    <EmptyState title="Large diff">
      <p className="mb-3">{`${plural(file.lines, 'line')}: drawing them may take a while.`}</p>
      <Button onClick={() => setAskedFor(true)}>Show anyway</Button>
    </EmptyState>
  );
}

function whyNoLines({ change, isModeChanged }: PatchFile): string {
  if (change === 'renamed') return 'The file has another name; its content is the same.';
  if (isModeChanged) return 'Only its mode changed: whether it may be run as a program.';
  return 'The file is empty.';
}

function Diff({ file, layout: { layout, isWrapped } }: Pick<FilePaneProps, 'file' | 'layout'>) {
  const diff = useMemo(() => parseDiff(file), [file]);
  if (diff === null) return <EmptyState title="The diff cannot be read">Its part of the patch is not in a form that this page knows.</EmptyState>;
  return (
    <Virtualizer className="min-h-0 flex-1 overflow-auto">
      <CodeDiff diff={diff} layout={layout} isWrapped={isWrapped} />
    </Virtualizer>
  );
}
