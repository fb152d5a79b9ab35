import type { Shortcut } from '../../lib/shortcuts.js';
import { useKept } from '../../lib/use-kept.js';
import { useShortcut } from '../../lib/use-shortcut.js';

export const SPLIT_SHORTCUT: Shortcut = { key: 's', scope: 'Changes', label: 'Unified or split' };
export const WRAP_SHORTCUT: Shortcut = { key: 'w', scope: 'Changes', label: 'Wrap long lines' };

export interface DiffLayout {
  readonly layout: 'unified' | 'split';
  /** There is room for two columns. */
  readonly canSplit: boolean;
  readonly isWrapped: boolean;
  readonly toggleSplit: () => void;
  readonly toggleWrap: () => void;
}

/** How diffs are drawn; the browser keeps it, and its keys work while it is used. */
export function useDiffLayout(canSplit: boolean): DiffLayout {
  const [layout, setLayout] = useKept('diff.layout', ['unified', 'split'], 'unified');
  const [wrap, setWrap] = useKept('diff.wrap', ['wrap', 'scroll'], 'scroll');
  const toggleSplit = (): void => setLayout(layout === 'split' ? 'unified' : 'split');
  const toggleWrap = (): void => setWrap(wrap === 'wrap' ? 'scroll' : 'wrap');
  useShortcut(SPLIT_SHORTCUT, toggleSplit, canSplit);
  useShortcut(WRAP_SHORTCUT, toggleWrap);
  return { layout: canSplit ? layout : 'unified', canSplit, isWrapped: wrap === 'wrap', toggleSplit, toggleWrap };
}
