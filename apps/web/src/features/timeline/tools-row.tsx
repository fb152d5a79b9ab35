import { FileSearch, SquareTerminal } from 'lucide-react';

import { useExpanded } from './expansion.js';
import { FoldLine } from './fold-line.js';
import type { ToolsRow } from './rows.js';
import { describeTools } from './tool-groups.js';
import { kindOfTool } from './tool-kind.js';
import { ToolView } from './tool-row.js';

export function ToolsView({ row: { key, tools } }: { readonly row: ToolsRow }) {
  const [isOpen, toggle] = useExpanded(key);
  const isLooks = tools.every(({ name }) => ['read', 'search'].includes(kindOfTool(name)));
  const Icon = isLooks ? FileSearch : SquareTerminal;
  const running = tools.find((tool) => tool.state === 'running');
  return (
    <div className="min-w-0">
      <FoldLine isOpen={isOpen} onToggle={toggle}>
        <Icon size={14} aria-hidden className="shrink-0 text-muted" />
        <span className="shrink-0 text-muted">{describeTools(tools)}</span>
        {running === undefined ? null : <span className="min-w-0 truncate font-mono text-code text-text">{running.title}</span>}
      </FoldLine>
      {isOpen ? (
        <div className="ml-6 min-w-0">
          {tools.map((tool) => (
            // What is grouped starts folded, commands too.
            <ToolView key={tool.id} tool={tool} id={`grouped ${tool.id}`} isOpenAtFirst={false} />
          ))}
        </div>
      ) : null}
    </div>
  );
}
