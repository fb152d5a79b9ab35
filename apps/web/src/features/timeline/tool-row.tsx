import { CircleSlash, CircleX, FilePen, FilePlus, FileText, LoaderCircle, Search, SquareTerminal, Wrench } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { useMemo } from 'react';

import type { JsonRecord } from '@bullpen/contracts';

import { classNames } from '../../lib/class-names.js';
import { formatDuration } from '../../lib/format.js';
import { changeOf, countChange } from './change-lines.js';
import type { ChangeLine } from './change-lines.js';
import { ChangeView } from './change-view.js';
import { useExpanded } from './expansion.js';
import { FoldLine } from './fold-line.js';
import { Output } from './output.js';
import type { ToolItem } from './rows.js';
import { ScrollBox } from './scroll-box.js';
import { kindOfTool, stringInput, verbOf } from './tool-kind.js';
import type { ToolKind } from './tool-kind.js';

const ICONS: Readonly<Record<ToolKind, LucideIcon>> = {
  read: FileText,
  search: Search,
  edit: FilePen,
  write: FilePlus,
  command: SquareTerminal,
  other: Wrench,
};

export interface ToolViewProps {
  readonly tool: ToolItem;
  /** Remembers what was opened. */
  readonly id: string;
  readonly isOpenAtFirst: boolean;
}

/** One call: what it does and how it went; its input and result below, when open. A failure is never folded. */
export function ToolView({ tool, id, isOpenAtFirst }: ToolViewProps) {
  const [isOpen, toggle] = useExpanded(id, isOpenAtFirst);
  const change = useMemo(() => changeOf(tool), [tool]);
  const isFailed = tool.state === 'failed';
  return (
    <div className="min-w-0">
      <FoldLine isOpen={isOpen || isFailed} {...(isFailed ? {} : { onToggle: toggle })}>
        <ToolTitle tool={tool} change={change} />
      </FoldLine>
      {isOpen || isFailed ? <ToolDetails tool={tool} id={id} change={change} /> : null}
    </div>
  );
}

function ToolTitle({ tool, change }: { readonly tool: ToolItem; readonly change: readonly ChangeLine[] | null }) {
  const { state, title, name, durationMs } = tool;
  const Icon = state === 'running' ? LoaderCircle : state === 'failed' ? CircleX : state === 'cancelled' ? CircleSlash : ICONS[kindOfTool(name)];
  return (
    <>
      <Icon size={14} aria-hidden className={classNames('shrink-0', state === 'failed' ? 'text-error' : 'text-muted', state === 'running' && 'animate-spin')} />
      <span className={classNames('shrink-0', state === 'failed' ? 'font-medium text-error' : 'text-muted')}>{wordOf(tool)}</span>
      {title === '' || title === name ? null : <span className="min-w-0 truncate font-mono text-code text-text">{title}</span>}
      {change === null ? null : <ChangeCount lines={change} />}
      {durationMs === null || durationMs < SHOWN_FROM_MS ? null : <span className="ml-auto shrink-0 pl-2 text-label text-faint">{formatDuration(durationMs)}</span>}
    </>
  );
}

/** A call that took less took no time worth a word. */
const SHOWN_FROM_MS = 1_000;

function wordOf(tool: ToolItem): string {
  if (tool.state === 'failed') return 'Failed';
  return tool.state === 'cancelled' ? 'Stopped' : verbOf(tool);
}

function ChangeCount({ lines }: { readonly lines: readonly ChangeLine[] }) {
  const { added, removed } = useMemo(() => countChange(lines), [lines]);
  return (
    <span className="flex shrink-0 gap-1.5 text-label">
      {added > 0 ? <span className="text-ok">+{added}</span> : null}
      {removed > 0 ? <span className="text-error">−{removed}</span> : null}
    </span>
  );
}

interface ToolDetailsProps {
  readonly tool: ToolItem;
  readonly id: string;
  readonly change: readonly ChangeLine[] | null;
}

function ToolDetails({ tool, id, change }: ToolDetailsProps) {
  const kind = kindOfTool(tool.name);
  const isChange = change !== null && tool.state !== 'failed';
  return (
    <div className={classNames('mt-1 mb-2 ml-6 min-w-0 overflow-hidden rounded-sm border bg-surface', tool.state === 'failed' ? 'border-error' : 'border-border')}>
      {kind === 'command' ? <CommandText tool={tool} /> : null}
      {kind === 'other' ? <Inputs input={tool.input} title={tool.title} /> : null}
      {change === null ? null : <ChangeView id={id} lines={change} />}
      {isChange ? null : <Result tool={tool} id={id} keep={kind === 'command' || tool.state === 'failed' ? 'last' : 'first'} />}
    </div>
  );
}

function Result({ tool, id, keep }: { readonly tool: ToolItem; readonly id: string; readonly keep: 'first' | 'last' }) {
  if (tool.output !== null) return <Output id={id} output={tool.output} keep={keep} />;
  return <p className="px-3 py-1.5 text-label text-muted">{tool.state === 'running' ? 'No output yet.' : 'It ended without output.'}</p>;
}

/** The title holds the first line only. */
function CommandText({ tool }: { readonly tool: ToolItem }) {
  const command = stringInput(tool.input, 'command', 'cmd') ?? '';
  if (command.trim() === tool.title) return null;
  return (
    <ScrollBox label="Command" className="max-h-[240px] overflow-auto border-b border-border px-3 py-2 text-code text-muted">
      <pre>{command}</pre>
    </ScrollBox>
  );
}

const MAX_INPUTS = 12;

/** Arguments of a tool that nobody here knows: those that a person can read in a line. */
function Inputs({ input, title }: { readonly input: JsonRecord; readonly title: string }) {
  const shown = Object.entries(input)
    .filter(([, value]) => (typeof value === 'string' && value !== title) || typeof value === 'number' || typeof value === 'boolean')
    .slice(0, MAX_INPUTS);
  if (shown.length === 0) return null;
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 border-b border-border px-3 py-2 text-label">
      {shown.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="max-h-[240px] overflow-auto break-words whitespace-pre-wrap">{String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
