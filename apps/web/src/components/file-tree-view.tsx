import { ChevronDown, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';

import type { FileChangeKind } from '@bullpen/contracts';

import { classNames } from '../lib/class-names.js';
import { fileTree } from '../lib/file-tree.js';
import type { TreeNode } from '../lib/file-tree.js';
import { ChangeMark } from './change-mark.js';
import { LineCounts } from './line-counts.js';

export interface TreeFile {
  readonly path: string;
  readonly change: FileChangeKind;
  readonly insertions: number;
  readonly deletions: number;
  readonly binary: boolean;
}

export interface FileTreeViewProps<File extends TreeFile> {
  /** Read aloud. */
  readonly label: string;
  readonly files: readonly File[];
  readonly selectedPath?: string;
  readonly onSelect: (path: string) => void;
  /** Behind the name: a mark of the feature that shows the tree. */
  readonly trailing?: (file: File) => ReactNode;
}

const ROW =
  'flex h-7 w-full min-w-0 cursor-pointer items-center gap-1.5 rounded-sm pr-1.5 text-left transition-colors hover:bg-raised pointer-coarse:h-11';
const INDENT_PX = 12;

/** Changed files in their folders; files in the order given. */
export function FileTreeView<File extends TreeFile>({ label, files, ...row }: FileTreeViewProps<File>) {
  return (
    <ul aria-label={label}>
      {fileTree(files).map((node) => (
        <TreeRow key={keyOf(node)} node={node} depth={0} {...row} />
      ))}
    </ul>
  );
}

interface TreeRowProps<File extends TreeFile> extends Omit<FileTreeViewProps<File>, 'label' | 'files'> {
  readonly node: TreeNode<File>;
  readonly depth: number;
}

function TreeRow<File extends TreeFile>({ node, depth, ...row }: TreeRowProps<File>) {
  if (node.kind === 'folder') return <FolderRow folder={node} depth={depth} {...row} />;
  const { file, name } = node;
  const isSelected = row.selectedPath === file.path;
  return (
    <li>
      <button
        type="button"
        title={file.path}
        aria-current={isSelected ? 'true' : undefined}
        style={{ paddingLeft: indentOf(depth) }}
        className={classNames(ROW, isSelected && 'bg-raised font-medium')}
        onClick={() => row.onSelect(file.path)}
      >
        <ChangeMark change={file.change} hasWord={false} />
        <span className={classNames('min-w-0 flex-1 truncate', file.change === 'deleted' && 'line-through')}>{name}</span>
        {row.trailing?.(file)}
        <LineCounts insertions={file.insertions} deletions={file.deletions} isBinary={file.binary} />
      </button>
    </li>
  );
}

interface FolderRowProps<File extends TreeFile> extends Omit<TreeRowProps<File>, 'node'> {
  readonly folder: Extract<TreeNode<File>, { kind: 'folder' }>;
}

function FolderRow<File extends TreeFile>({ folder, depth, ...row }: FolderRowProps<File>) {
  const [isOpen, setOpen] = useState(true);
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <li>
      <button
        type="button"
        title={folder.path}
        aria-expanded={isOpen}
        style={{ paddingLeft: indentOf(depth) }}
        className={classNames(ROW, 'text-muted')}
        onClick={() => setOpen(!isOpen)}
      >
        <Chevron size={14} aria-hidden className="shrink-0" />
        <span className="truncate">{folder.name}</span>
      </button>
      {isOpen ? (
        <ul>
          {folder.children.map((node) => (
            <TreeRow key={keyOf(node)} node={node} depth={depth + 1} {...row} />
          ))}
        </ul>
      ) : null}
    </li>
  );
}

function indentOf(depth: number): number {
  return 6 + depth * INDENT_PX;
}

function keyOf<File extends TreeFile>(node: TreeNode<File>): string {
  return node.kind === 'file' ? `file/${node.file.path}` : `folder/${node.path}`;
}
