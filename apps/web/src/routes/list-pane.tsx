import { createContext, use } from 'react';

import type { Pane } from '../lib/pane.js';
import type { Shortcut } from '../lib/shortcuts.js';

export const LIST_SHORTCUT: Shortcut = { key: 'b', mod: true, scope: 'Everywhere', label: 'Show or hide the sessions' };

/** The list is the root's; pages have the button that shows it. */
export const ListPaneContext = createContext<Pane | null>(null);

export function useListPane(): Pane {
  const pane = use(ListPaneContext);
  if (pane === null) throw new Error('useListPane needs the root route above it.');
  return pane;
}
