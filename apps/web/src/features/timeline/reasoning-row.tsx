import { Brain } from 'lucide-react';

import { useExpanded } from './expansion.js';
import { FoldLine } from './fold-line.js';
import type { ReasoningRow } from './rows.js';

export function ReasoningView({ row: { key, text, isOpen: isThinking } }: { readonly row: ReasoningRow }) {
  const [isOpen, toggle] = useExpanded(key);
  return (
    <div className="min-w-0">
      <FoldLine isOpen={isOpen} onToggle={toggle}>
        <Brain size={14} aria-hidden className="shrink-0 text-muted" />
        <span className="shrink-0 text-muted">{isThinking ? 'Thinking' : 'Thought'}</span>
        {isOpen ? null : <span className="min-w-0 truncate text-faint">{text.trim().split('\n', 1)[0]}</span>}
      </FoldLine>
      {isOpen ? <p className="mt-1 mb-2 ml-6 border-l-2 border-border pl-3 break-words whitespace-pre-wrap text-muted">{text.trim()}</p> : null}
    </div>
  );
}
