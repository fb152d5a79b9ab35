import type { Shortcut } from '../../lib/shortcuts.js';

export interface ShortcutGroup {
  readonly scope: Shortcut['scope'];
  readonly shortcuts: readonly Shortcut[];
}

const ORDER: readonly Shortcut['scope'][] = ['Everywhere', 'Sessions', 'Session', 'Timeline', 'Composer', 'Changes'];

/** In a fixed order of scopes; scopes without shortcuts are left out, one label stands once. */
export function groupByScope(shortcuts: readonly Shortcut[]): readonly ShortcutGroup[] {
  return ORDER.flatMap((scope) => {
    const ofScope = shortcuts.filter((shortcut) => shortcut.scope === scope);
    const once = ofScope.filter((shortcut, place) => ofScope.findIndex(({ label }) => label === shortcut.label) === place);
    return once.length === 0 ? [] : [{ scope, shortcuts: once.toSorted((one, other) => one.label.localeCompare(other.label)) }];
  });
}
