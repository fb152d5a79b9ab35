import { ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';

import { classNames } from '../../lib/class-names.js';

export interface FoldLineProps {
  readonly isOpen: boolean;
  /** Without it the line cannot be folded. */
  readonly onToggle?: () => void;
  readonly children: ReactNode;
}

const LINE = 'flex min-h-7 w-full min-w-0 items-center gap-2 rounded-sm text-left text-ui';

/** One line of work, 28 high, which opens what stands below it. */
export function FoldLine({ isOpen, onToggle, children }: FoldLineProps) {
  if (onToggle === undefined) {
    return (
      <div className={LINE}>
        <span className="w-4 shrink-0" />
        {children}
      </div>
    );
  }
  return (
    <button type="button" aria-expanded={isOpen} onClick={onToggle} className={classNames(LINE, 'cursor-pointer hover:bg-raised pointer-coarse:min-h-11')}>
      <ChevronRight size={14} aria-hidden className={classNames('mr-0.5 shrink-0 text-faint', isOpen && 'rotate-90')} />
      {children}
    </button>
  );
}
