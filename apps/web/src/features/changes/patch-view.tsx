import { Check } from 'lucide-react';

import { FileTreeView } from '../../components/file-tree-view.js';
import { Select } from '../../components/select.js';
import { EmptyState } from '../../components/states.js';
import { classNames } from '../../lib/class-names.js';
import type { Shortcut } from '../../lib/shortcuts.js';
import { useShortcut } from '../../lib/use-shortcut.js';
import { FilePane } from './file-pane.js';
import type { PatchFile } from './patch-files.js';
import type { DiffLayout } from './use-diff-layout.js';
import { useViewed } from './use-viewed.js';
import type { Viewed } from './use-viewed.js';

export const NEXT_FILE: Shortcut = { key: 'n', scope: 'Changes', label: 'Next file' };
export const PREVIOUS_FILE: Shortcut = { key: 'p', scope: 'Changes', label: 'Previous file' };
export const VIEWED: Shortcut = { key: 'v', scope: 'Changes', label: 'Mark the file as viewed' };

interface PatchViewProps {
  readonly sessionId: string;
  /** At least one. */
  readonly files: readonly PatchFile[];
  /** Of the file to show; without it, the first. */
  readonly path: string | undefined;
  readonly layout: DiffLayout;
  /** There is room for the tree beside the diff. */
  readonly hasTree: boolean;
  readonly onSelect: (path: string) => void;
}

/** The files, and the diff of one of them. */
export function PatchView({ sessionId, files, path, layout, hasTree, onSelect }: PatchViewProps) {
  const viewed = useViewed(sessionId);
  const index = path === undefined ? 0 : files.findIndex((file) => file.path === path);
  const file = files[index];
  const step = (by: number) => (): void => {
    const next = files[index + by];
    if (next !== undefined) onSelect(next.path);
  };
  const toggleViewed = (): void => {
    if (file !== undefined) viewed.toggle(file);
  };
  useShortcut(NEXT_FILE, step(1));
  useShortcut(PREVIOUS_FILE, step(-1));
  useShortcut(VIEWED, toggleViewed);
  const list = { files, viewed, selectedPath: file?.path, onSelect };
  return (
    <div className={classNames('flex min-h-0 min-w-0 flex-1', !hasTree && 'flex-col')}>
      {hasTree ? <FileTree {...list} /> : <FileSelect {...list} />}
      {file === undefined ? (
        <div className="min-w-0 flex-1">
          <EmptyState title="This file has no changes here">{`Nothing differs in ${path ?? 'it'}. Choose another file of the list.`}</EmptyState>
        </div>
      ) : (
        <FilePane
          key={file.path}
          file={file}
          layout={layout}
          isViewed={viewed.has(file)}
          onToggleViewed={toggleViewed}
          {...(index > 0 ? { onPrevious: step(-1) } : {})}
          {...(index < files.length - 1 ? { onNext: step(1) } : {})}
        />
      )}
    </div>
  );
}

interface FileListProps {
  readonly files: readonly PatchFile[];
  readonly viewed: Viewed;
  readonly selectedPath: string | undefined;
  readonly onSelect: (path: string) => void;
}

function FileTree({ files, viewed, selectedPath, onSelect }: FileListProps) {
  const viewedCount = files.filter((file) => viewed.has(file)).length;
  return (
    <nav aria-label="Changed files" className="flex w-[260px] shrink-0 flex-col border-r border-border">
      <div className="min-h-0 flex-1 overflow-y-auto p-1.5">
        <FileTreeView
          label="Changed files"
          files={files}
          {...(selectedPath === undefined ? {} : { selectedPath })}
          onSelect={onSelect}
          trailing={(file) => (viewed.has(file) ? <ViewedMark /> : null)}
        />
      </div>
      <p className="border-t border-border px-3 py-2 text-label text-muted">{`${viewedCount} of ${files.length} viewed`}</p>
    </nav>
  );
}

function ViewedMark() {
  return (
    <span className="shrink-0 text-muted">
      <Check size={14} aria-hidden />
      <span className="sr-only">Viewed</span>
    </span>
  );
}

/** Instead of the tree where there is no room beside the diff. */
function FileSelect({ files, viewed, selectedPath, onSelect }: FileListProps) {
  return (
    <div className="border-b border-border px-3 py-1.5">
      <Select aria-label="File" className="w-full" value={selectedPath ?? ''} onChange={({ target }) => onSelect(target.value)}>
        {selectedPath === undefined ? <option value="">Choose a file</option> : null}
        {files.map((file) => (
          <option key={file.path} value={file.path}>
            {`${file.path}${viewed.has(file) ? ' · viewed' : ''}`}
          </option>
        ))}
      </Select>
    </div>
  );
}
